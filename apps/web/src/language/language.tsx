import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { english, type Messages } from './english.js';
import { japanese } from './japanese.js';

const languages = { en: english, ja: japanese } as const;
export type LanguageName = keyof typeof languages;
export const languageNames = { en: 'English', ja: '日本語' } as const;

const storageKey = 'aquifer-language';

interface Language {
  readonly name: LanguageName;
  readonly messages: Messages;
  choose(name: LanguageName): void;
}

const LanguageContext = createContext<Language | undefined>(undefined);

function preferred(): LanguageName {
  const stored = localStorage.getItem(storageKey);
  if (stored === 'en' || stored === 'ja') return stored;
  return navigator.languages.find((each) => /^(en|ja)\b/.test(each))?.startsWith('ja') ? 'ja' : 'en';
}

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [name, setName] = useState(preferred);
  useEffect(() => {
    document.documentElement.lang = name;
  }, [name]);
  const language = useMemo(
    () => ({
      name,
      messages: languages[name],
      choose(chosen: LanguageName) {
        localStorage.setItem(storageKey, chosen);
        setName(chosen);
      },
    }),
    [name],
  );
  return <LanguageContext value={language}>{children}</LanguageContext>;
}

export function useLanguage(): Language {
  const language = useContext(LanguageContext);
  if (language === undefined) throw new Error('There is no LanguageProvider around this.');
  return language;
}

export const useMessages = (): Messages => useLanguage().messages;
