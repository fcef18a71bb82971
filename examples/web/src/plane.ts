/** The plane that points are drawn on reaches from -limit to limit on both axes. */
export const PLANE_LIMIT = 3;
