declare module '*.css';
declare module '*?url' {
  const url: string;
  // biome-ignore lint/style/noDefaultExport: what the bundler makes of it
  export default url;
}
