"""aitheme: thematic equity research on China A-shares."""
