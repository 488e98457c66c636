# %% [markdown]
# # Distances: when are two vectors near?
#
# A task embedding (任务嵌入) turns a task into a vector, and similar tasks should come out *near* each other. Before a
# network can learn that, somebody must say what near means. There is more than one answer, and the choice is yours.
#
# ## What you will be able to do
#
# - compute four distances (距离) between two vectors by hand: Euclidean (欧几里得距离), squared Euclidean, Manhattan
#   (曼哈顿距离) and cosine distance (余弦距离)
# - say why cosine similarity (余弦相似度) is not a distance, and what to write instead
# - find three points that break the triangle inequality (三角不等式), and say which distances are metrics (度量)
# - say how large a margin (间隔) may be before it asks for the impossible
#
# **Time:** 60 minutes; the core path alone 25.
#
# ## What you need first
#
# [Lesson 00](00_start_here.ipynb), Pythagoras, and the dot product of two vectors.

# %% [markdown]
# ## A distance by hand
#
# Each entry of $[1, 2, 3]$ differs by 1 from the same entry of $[2, 3, 4]$.

# %%
from taskembed_edu.course import check, outcome, predict, tally

predict("01.root", "How far apart are [1, 2, 3] and [2, 3, 4]?", ["1", "√3", "3"])

# %%
import math

from taskembed_edu import cosine_distance, euclidean_distance, manhattan_distance, squared_euclidean_distance

x, y = [1, 2, 3], [2, 3, 4]
squares = [(a - b) ** 2 for a, b in zip(x, y, strict=True)]
by_hand = math.sqrt(sum(squares))
print(f"squared differences {squares}, their sum {sum(squares)}, its root {by_hand:.4f}")

manhattan = sum(abs(a - b) for a, b in zip(x, y, strict=True))
dot = sum(a * b for a, b in zip(x, y, strict=True))
cosine = 1 - dot / (math.hypot(*x) * math.hypot(*y))
print(f"Manhattan {manhattan}, squared Euclidean {sum(squares)}, cosine distance 1 - {1 - cosine:.4f} = {cosine:.4f}")
for mine, function in (
    (by_hand, euclidean_distance),
    (manhattan, manhattan_distance),
    (sum(squares), squared_euclidean_distance),
    (cosine, cosine_distance),
):
    assert math.isclose(mine, function(x, y), abs_tol=1e-6)
outcome("01.root", {"1": by_hand == 1, "√3": math.isclose(by_hand, 3**0.5), "3": by_hand == 3})

# %% [markdown]
# **Explain.** $\sqrt 3 \approx 1.7321$ is the **Euclidean distance** (欧几里得距离), the length of the straight line:
#
# $$d(x, y) = \lVert x - y \rVert_2 = \sqrt{\textstyle\sum_i (x_i - y_i)^2}$$
#
# But 3 was no bad answer either: whoever may only walk along the axes walks 3. That is the **Manhattan distance**
# (曼哈顿距离). And who leaves the root away has the **squared Euclidean distance**, here 3 as well.
#
# The fourth looks at the directions only. The **cosine similarity** (余弦相似度) is the cosine of the angle between
# the two arrows. One minus it is the **cosine distance** (余弦距离).
#
# The second line says what the others give for the same two vectors. The cosine distance is nearly 0: the two arrows
# point almost the same way, at an angle of 7 degrees. For the cosine these vectors are nearly equal, for the Euclidean
# distance they are not. Both are right. They answer different questions.

# %% [markdown]
# ## The lab
#
# Drag the tips of the arrows. Or click one and use the arrow keys. The table follows: every number on it is computed by
# the functions that you have just checked. Choose a distance in the table and the drawing shows what it measures.
#
# - The dashed line is the edge of a **ball** (球): all points at one distance from $x$; at distance 1 it is the unit
#   ball (单位球). Each distance has its own shape.
# - Point at a row of the table to read it in words, with its arithmetic.
# - *Ctrl+Z* takes a drag back. The key *p* makes everything large, for a projector.
#
# Before you choose: what shape will the ball of the cosine distance have?

# %% tags=["step-0"]
from taskembed_edu import DistanceLab

lab = DistanceLab(x=[3, 1], y=[1, 2.5], metric="manhattan")
lab

# %% [markdown]
# **Explain.** The Euclidean ball is a disc. The Manhattan ball is a diamond: a step along an axis is worth as much as
# any other step of that length, so the corners lie on the axes. The cosine ball is a wedge that starts at the origin:
# it holds whole directions and does not ask how long a vector is.
#
# The button *course example* puts the three-dimensional vectors in. A plane cannot show them, so the panel then shows
# one line for each coordinate.
#
# ## A slip to learn from: a similarity is not a distance
#
# The document (lesson 00 says what it is) names two "distances" $d(x, y)$: the Euclidean one, and the cosine similarity
#
# $$\frac{x \cdot y}{\lVert x \rVert \lVert y \rVert}.$$
#
# The first is right. The second is a slip, and a frequent one. A distance is *small* when two things are near. A
# similarity is *large*. Now a network is told to make $d$ small for two similar samples, and somebody used the cosine
# similarity as $d$.

# %%
predict("01.similarity", "Where do two similar vectors go?", ["together", "to a right angle", "to opposite directions"])

# %%
import torch

from taskembed_edu import cosine_similarity


def angle_after_making_small(d, x, y):
    for _ in range(1000):  # plain gradient descent on y; x stays
        y = y.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(d(x, y), y)
        y = y - gradient
    return math.degrees(math.acos(cosine_similarity(x, y.detach())))


x, y = torch.tensor([3.0, 1.0]), torch.tensor([1.0, 2.5])
print(f"angle at the start:                {math.degrees(math.acos(cosine_similarity(x, y))):.0f} degrees")
print(f"after making the similarity small: {angle_after_making_small(cosine_similarity, x, y):.0f} degrees")
print(f"after making 1 - similarity small: {angle_after_making_small(cosine_distance, x, y):.0f} degrees")
angle = angle_after_making_small(cosine_similarity, x, y)
ends = {"together": angle < 10, "to a right angle": 80 < angle < 100, "to opposite directions": angle > 170}
outcome("01.similarity", ends)

# %% [markdown]
# **Explain.** The loss fell in both runs, and nothing warned us. In the first run the two similar samples ended up
# pointing in opposite directions: the network would have learned to tell alike things apart.
#
# Four signs that a function is a similarity. Open *Why cosine similarity is not a distance* in the panel to see them
# with your own vectors. (You can work the lab from a cell, too: the panel follows, and shows the arithmetic.)

# %%
lab.move(x=[1, 2, 3], y=[2, 3, 4])
print(lab.worked("euclidean"))
print(lab.worked("cosine_similarity"))
print(f"a vector with itself:     similarity {cosine_similarity(y, y):.0f}, but a distance is 0 here")
print(f"x and y, then 10x and y:  similarity {cosine_similarity(x, y):.4f}, then {cosine_similarity(10 * x, y):.4f}")
print(f"the same, Euclidean:      {euclidean_distance(x, y):.4f}, then {euclidean_distance(10 * x, y):.4f}")
print(f"can it be below 0?        similarity {cosine_similarity([1, 0], [-1, 0]):.0f}, a distance never is")

# %% [markdown]
# So write $1 - \cos$, and it is 0 for one direction, 1 at a right angle, 2 for opposite directions. In this package
# `metric="cosine"` always means this cosine **distance**.
#
# ## What a distance must keep to be a metric
#
# A **metric** (度量) in the strict sense keeps three promises for all points (Fréchet 1906):
#
# 1. $d(x, y) \ge 0$, and $d(x, y) = 0$ only where $x = y$;
# 2. symmetry (对称性): $d(x, y) = d(y, x)$;
# 3. the **triangle inequality** (三角不等式): $d(x, z) \le d(x, y) + d(y, z)$. A detour is never a short cut.
#
# Take arrows at 0, 45 and 90 degrees. From the first to the last the cosine distance is 1: a right angle.

# %%
predict(
    "01.detour_by_the_middle", "How far is it by way of the middle arrow?", ["more than 1", "exactly 1", "less than 1"]
)

# %%
half_way = 1 - math.cos(math.radians(45))
print(f"direct: {1 - math.cos(math.radians(90)):.4f}, by way of the middle: {half_way:.4f} + {half_way:.4f}")
lab.preset("breaks the triangle")
for metric in ("euclidean", "manhattan", "squared_euclidean", "cosine"):
    print(lab.triangle(metric))
by_way = 2 * half_way
found = {"more than 1": by_way > 1, "exactly 1": by_way == 1, "less than 1": by_way < 1}
display(lab.picture(), outcome("01.detour_by_the_middle", found))

# %% [markdown]
# **Explain.** Less than 1: $0.5858$. The detour is shorter than the direct way, so the cosine distance is not a metric
# in the strict sense. Neither is the squared Euclidean distance: here 18 direct, and 9 by way of the middle. (The
# cosine distance also breaks the first promise: $[1, 1]$ and $[2, 2]$ are 0 apart.)
#
# Is that bad? Often not. To find the *nearest* neighbour only the order counts, and squaring keeps the order. But do
# not add such distances up along a path, do not conclude from "a near b, b near c" that a is near c, and do not hand
# them to an index that prunes by the triangle inequality. Who needs a metric on directions takes the angle itself.
#
# ## Margins end where the distance ends
#
# In the next lesson different samples are pushed apart until their distance reaches a **margin** (间隔) $m$. The
# Euclidean distance can be as large as you like. How large can the cosine distance be, and what would a margin of 3 ask
# for?

# %%
from taskembed_edu import METRICS, contrastive_loss

for metric in METRICS.values():
    print(f"{metric.name:18} largest: {metric.largest:<4} a metric: {metric.is_metric}")
try:
    contrastive_loss([[1, 0]], [[-1, 0]], label=[0], margin=3, metric="cosine")
except ValueError as error:
    print(error)

# %% [markdown]
# **Explain.** Nothing is farther than the opposite direction, and that is 2. With a margin of 3 no pair could ever be
# far enough, so the loss could never reach zero. That is why every margin slider of this course ends at 2 as soon as
# you choose the cosine.

# %% [markdown]
# ## Further: on vectors of length 1 the two are one
#
# The squared Euclidean distance and the cosine distance break the triangle together. On vectors of length 1 they are
# the same thing, up to a factor 2:

# %%
x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 3.0, 4.0])
squared_between_directions = squared_euclidean_distance(x / x.norm(), y / y.norm())
torch.testing.assert_close(squared_between_directions, 2 * cosine_distance(x, y), atol=1e-6, rtol=0)
print(f"{squared_between_directions:.4f} = 2 * {cosine_distance(x, y):.4f}")

# %% [markdown]
# **Explain.** So a network whose vectors are brought to length 1 orders neighbours the same way by either of them.
#
# ## Three things to try
#
# In the lab above (*Reset* brings the first arrows back). Each time: predict first.
#
# 1. Choose *Euclidean*, set the radius to 2.5, and drag $y$ once round on the dashed circle. Which distances change?
# 2. *same direction*, then pull $y$ outwards along its arrow, and at last into the origin. What does the cosine say?
# 3. *breaks the triangle*, then drag $y$. Where is the triangle broken, and for which distances?
#
# <details><summary>What is to be seen</summary>
#
# 1. The Euclidean distance stays. The Manhattan distance goes up and down between 2.5 (straight along an axis) and 3.54
#    (along the diagonal).
# 2. The cosine distance stays 0 while all others grow. In the origin it is undefined: the zero vector has no direction.
# 3. The cosine's triangle is broken while the arrow of $y$ lies between the two others, however long it is. The squared
#    distance's is broken while the angle at $y$ is wider than a right angle.
# </details>

# %% [markdown]
# ## Exercises
#
# **1.** The document's third vector is $[4, 5, 6]$. What is its Manhattan distance from $[1, 2, 3]$?

# %%
# solution
my_manhattan = 3 + 3 + 3
# stub
# my_manhattan = None  # put your number in place of None, and run the cell again
# end
check("01.manhattan", my_manhattan)

# %% [markdown]
# **2.** Find a vector whose cosine distance from $[3, 1]$ is exactly 1, and which is as long as $[3, 1]$.

# %%
# solution
my_vector = [-1, 3]
# stub
# my_vector = None  # for example [1, 1]
# end
check("01.right_angle", my_vector)

# %% [markdown]
# **3.** Choose a number $y$ so that the squared distance from 0 to 10 is at least *twice* as long as by way of $y$.

# %%
# solution
my_stop = 5
# stub
# my_stop = None  # put your number in place of None, and run the cell again
# end
check("01.detour", my_stop)

# %% [markdown]
# **4. An open investigation.** Who is nearer to $x$: $y$ or $z$? Place the three vectors so that the Euclidean distance
# says $y$, and both the Manhattan and the cosine distance say $z$. Use the lab above, with *Triangle* on: then $z$ is
# there to be dragged.

# %%
# solution
lab.move(x=[1, 1], y=[3, -1], z=[4, 1])
# stub
# # Use the panel above, then run this cell.
# end
display(check("01.who_is_nearer", lab), tally("01"))

# %% [markdown]
# ## What to remember
#
# - *Near* is a choice. Euclidean: the straight line. Manhattan: along the axes. Cosine: the direction alone.
# - $d([1, 2, 3], [2, 3, 4]) = \sqrt 3$.
# - Cosine similarity (余弦相似度) is large for near things. As a distance write $1 - \cos$.
# - $1 - \cos$ and the squared Euclidean distance break the triangle inequality. Euclidean and Manhattan keep it.
# - The cosine distance ends at 2, and so do its margins.
# - The zero vector has no direction, and so no cosine.
#
# Next: [02 Contrastive and triplet loss](02_contrastive_and_triplet_loss.ipynb).
#
# ## Sources
#
# - M. Fréchet, *Sur quelques points du calcul fonctionnel*, 1906: the promises that a metric keeps.
# - H. Minkowski, *Geometrie der Zahlen*, 1910: distances from balls of other shapes.
# - G. Salton, A. Wong and C. Yang, *A Vector Space Model for Automatic Indexing*, 1975: the cosine as a similarity.
# - S. van Dongen and A. Enright, *Metric distances derived from cosine similarity and Pearson and Spearman
#   correlations*, 2012: which repairs give a metric.
# - J. Snell, K. Swersky and R. Zemel, *Prototypical Networks for Few-shot Learning*, 2017: squared Euclidean against
#   cosine distance, in a network that learns from few examples.
