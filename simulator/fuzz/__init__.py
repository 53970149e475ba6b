"""Random scenarios and crashes at every point, judged by the promises."""
