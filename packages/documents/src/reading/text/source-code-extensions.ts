/** Endings of files that people write for programs, in languages that are read as they stand. */
export const sourceCodeExtensions: readonly string[] =
  // Programming languages.
  (
    '.ada .adb .ads .agda .asm .awk .bas .c .cc .cjs .clj .cljc .cljs .cls .cob .cbl .coffee .cpp .cr .cs .csx .cts .cu .cxx ' +
    '.d .dart .dpr .elm .erl .ex .exs .f .f03 .f08 .f90 .f95 .fs .fsi .fsx .go .groovy .h .hh .hpp .hrl .hs .hxx .inc .ino .java ' +
    '.jl .js .jsx .kt .kts .lhs .lisp .lsp .lua .m .mjs .ml .mli .mm .nim .nix .pas .php .pl .pm .pp .pro .ps1 .psd1 .psm1 ' +
    '.py .pyi .pyx .r .rb .rkt .rs .s .sas .scala .scm .sol .st .sv .svh .swift .tcl .ts .tsx .v .vala .vb .vba .vbs .vhd .vhdl .zig ' +
    // Shells, queries, builds.
    '.bash .bat .bazel .bzl .cmake .cmd .fish .gradle .graphql .gql .ksh .mak .mk .ninja .proto .sbt .sh .sql .thrift .zsh ' +
    // Pages and styles.
    '.astro .css .ejs .erb .haml .hbs .jinja .jinja2 .less .liquid .mustache .pug .sass .scss .styl .svelte .twig .vue ' +
    // Configuration and markup.
    '.cfg .cnf .conf .dtd .hcl .ini .json5 .nginx .properties .rnc .service .tf .tfvars .toml .wsdl .xml .xsd .xsl .xslt .yaml .yml ' +
    // Changes.
    '.diff .patch'
  ).split(' ');

/** Names of such files that have no ending, in lower case. */
export const sourceCodeNames: readonly string[] = [
  'brewfile',
  'containerfile',
  'dockerfile',
  'gemfile',
  'jenkinsfile',
  'justfile',
  'makefile',
  'procfile',
  'rakefile',
  'vagrantfile',
];
