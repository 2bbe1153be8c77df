/** Endings of files of plain words, with the marks of lists and headings that people make by hand. */
export const plainTextExtensions: readonly string[] =
  '.txt .text .log .adoc .asc .asciidoc .bib .lrc .nfo .org .po .rst .srt .tex .textile .vtt .wiki'.split(' ');

/** Names of such files that have no ending, in lower case. */
export const plainTextNames: readonly string[] = [
  'authors',
  'changelog',
  'changes',
  'contributing',
  'contributors',
  'copying',
  'faq',
  'install',
  'licence',
  'license',
  'maintainers',
  'news',
  'notice',
  'readme',
  'todo',
];
