// How strongly a point is drawn: filtered out; beside what matters now; as usual; not there at all.

export const FAINT = 0;
export const DIM = 1;
export const FULL = 2;
export const ABSENT = 3;
export const OPACITY = [0.09, 0.35, 1];
