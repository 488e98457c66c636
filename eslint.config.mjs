// The linter of every script in the project: eslint's recommended rules, and a few of the house.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: [".venv/**", "node_modules/**", "build/**", "dist/**", "docs/**"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-var": "error",
      "prefer-const": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  { files: ["taskembed_edu/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["tests/browser/*.js", "benchmarks/browser/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["tests/page/*.js", "eslint.config.mjs"], languageOptions: { globals: globals.node } },
];
