/** Colours of a plot, as SVG takes them. */
export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly paper: string;
  /** For what has names; where there are more names than these, lines differ in their dashes too. */
  readonly categories: readonly string[];
  readonly better: string;
  readonly worse: string;
  /** Equal parts of a range around 0, from the most negative to the most positive. */
  readonly diverging: readonly string[];
}

/** On white paper. Categories are those of Okabe and Ito, darkened to a contrast of 3 to 1. */
export const paperTheme: Theme = {
  ink: "#1a1a1a",
  muted: "#5f6368",
  grid: "#e3e5e8",
  paper: "#ffffff",
  categories: ["#0072b2", "#c1440e", "#00805c", "#a4508b", "#8a6500", "#2c7fb8", "#6b4fbb", "#4d4d4d"],
  better: "#00704f",
  worse: "#b3370a",
  diverging: ["#8c2d04", "#cc5a14", "#ec9a5e", "#f7d4b8", "#f2f2f2", "#c3dbee", "#7fb3d8", "#2f7fb8", "#084a86"],
};

/** In the dark. */
const darkTheme: Theme = {
  ink: "#e8eaed",
  muted: "#a4a9af",
  grid: "#33373c",
  paper: "#17191c",
  categories: ["#5db3ec", "#ff8a5c", "#3ecf9f", "#e39ccb", "#d9b345", "#9ad0f5", "#b3a1f0", "#bdbdbd"],
  better: "#3ecf9f",
  worse: "#ff8a5c",
  diverging: ["#ffb27d", "#e87d3a", "#b0561c", "#6b3a1b", "#2a2d31", "#1f4463", "#2b6ea6", "#4d9fdd", "#a3d3f8"],
};

/** What a page draws with: its style sheet says what these are, in the light and in the dark. */
export const pageTheme: Theme = mapColours(paperTheme, (name) => `var(--${name})`);

/** The page's variables under a theme, for its style sheet. */
export const variablesFor = {
  light: declarationsOf(paperTheme),
  dark: declarationsOf(darkTheme),
} as const;

function declarationsOf(theme: Theme): string {
  const declared: string[] = [];
  mapColours(theme, (name, colour) => {
    declared.push(`--${name}:${colour}`);
    return colour;
  });
  return declared.join(";");
}

/** The theme with another colour for each of its own, which are told by name. */
function mapColours(theme: Theme, change: (name: string, colour: string) => string): Theme {
  const list = (name: string, colours: readonly string[]): string[] =>
    colours.map((colour, i) => change(`${name}-${i}`, colour));
  const { ink, muted, grid, paper, better, worse, categories, diverging } = theme;
  return {
    ink: change("ink", ink),
    muted: change("muted", muted),
    grid: change("grid", grid),
    paper: change("paper", paper),
    better: change("better", better),
    worse: change("worse", worse),
    categories: list("category", categories),
    diverging: list("diverging", diverging),
  };
}
