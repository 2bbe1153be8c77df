import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ServiceProvider } from './access/service.js';
import { LanguageProvider } from './language/language.js';
import { Application } from './shell/application.js';
import { applyTheme, storedTheme } from './shell/theme.js';
import './style/page.css';

applyTheme(storedTheme());
createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <LanguageProvider>
      <ServiceProvider>
        <Application />
      </ServiceProvider>
    </LanguageProvider>
  </StrictMode>,
);
