"""What the page's help says of each kind of lab: how to read its map, and what to try."""

from __future__ import annotations

TRY_MARGINS = (
    "Play: the tasks find their places.",
    "Move Margin while it trains, and watch Mean distance.",
    "Branch here, then give one run another margin: two margins side by side.",
    "What changed? compares this distance with another one, for the same weights.",
)
TRY_WEIGHTS = (
    "Play: every task trains its own network. The line shows the path of its weights from the start.",
    "Point at a task: you see its data, and what its network answers now.",
    "Start: one each, then Reset and Play. The networks learn just as well. Are their weights still in order?",
    "Layer, Weights as and Task vector: another view of the same networks.",
)
TRY_ADAPTING = (
    "Play: the outer loop moves the start, and the meta-learned curve bends to the points in fewer steps.",
    "Slow motion: the same inner loop from each start, step by step. Then move the time back to step 0.",
    "Drag a point, or go to it with Tab and use the arrow keys. Delete removes it, Ctrl+Z takes it back.",
    "Draw your own wave: three points are enough for the meta-learned start. Are they for a random one?",
    "Branch here, and give one run another method: two learned starts on one task.",
)
OF_ADAPTING = (
    "The inner loop: one task that training never saw, learned by gradient steps on its support points, from several "
    "starts. All steps are of one size, the inner rate. Solid lines are the loss on the query points, which nobody "
    "learns from; dashed lines are the loss on the support points.",
    "The outer loop: every step moves the start, so that the inner loop of many tasks ends well. On the map a point "
    "is a task's weights after its inner loop. Not the loss at inner step 0 is to be low, but that after the steps.",
)
TRY_PICTURES = (
    "Pictures shows the tasks' own pictures in place of points, where they have room. Zoom in: more of them have."
)
TRY_TWO = (
    "Play, then choose a task on one map: it is chosen on both. Are its neighbours the same?",
    "What changed? compares the two maps: a thick ring is a task whose neighbours are others by the other embedder.",
    "Judge: a scorecard for each, on tasks that neither has seen. Which score would you go by, and why?",
    "Let one of them train worse (Learning rate, Margin). Which scores fall first?",
)
OF_TWO = (
    "Each map is that of one embedder, for the same tasks. Compare neighbours and scores. Do not compare places, sizes "
    "or rotations, since each map is drawn by itself. Losses and mean distances do not compare either: each embedder "
    "makes a number of its own small, and has a unit of its own."
)
OF_WEIGHTS = (
    "Here a point shows the weights of one small network: that of its task. With one start for all, every network "
    "begins at the same point, and a line leads from there to its place now. With one start each, the map mostly shows "
    "where the networks began. One network can be written with many different weights, because its hidden units can "
    "change places.",
    "Purity is the share of tasks whose nearest neighbour is of the same group. Tasks that are alone in their group do "
    "not count. The sentence below the lab says what purity would be by chance.",
)
