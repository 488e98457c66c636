# %% [markdown]
# # Start here: what a task embedding is
#
# You usually train one network for one task. In this course the tasks themselves are the data. You will measure how
# far two tasks are apart, and watch a network put two hundred of them on a map.
#
# ## What you will be able to do
#
# - say what a **task** (任务) is, and what its support set (支持集) and its query set (查询集) are for
# - say what **meta-learning** (元学习) learns, and tell its inner loop from its outer loop
# - compute the distance between two tasks by hand
# - say what a **task embedding** (任务嵌入) is, and how it differs from a feature embedding (特征嵌入)
# - read the two scores that say whether an embedding is any good
#
# **Time:** 30 minutes.
#
# ## What you need first
#
# Python, and to have trained a small network once. The mathematics is one sine wave and one square root.

# %% [markdown]
# ## How to use this course
#
# Each step has three parts. **Predict**: write your guess down before you run the cell. A guess that turns out wrong
# is what you will remember. **Run** the cell: Shift+Enter. **Explain** what you see, in one sentence of your own,
# before you read ours.
#
# Lost? Choose *Kernel → Restart Kernel and Run All Cells*. Every lesson runs from top to bottom in under a minute.
#
# | lesson | question |
# |---|---|
# | **00 Start here** | What is a task, and what is a task embedding? |
# | [01 Distances](01_distances.ipynb) | When are two vectors near, and which measures are distances? |
# | [02 Contrastive and triplet loss](02_contrastive_and_triplet_loss.ipynb) | How does a loss teach nearness? |
# | [04 Metric-based embedding](04_metric_based_embedding.ipynb) | How does one learn a map of tasks? |
# | [05 Parameter-based embedding](05_parameter_based_embedding.ipynb) | Can a network's weights stand for its task? |

# %% [markdown]
# ## A task is a small question
#
# A task gives you a few examples, its **support set**. Then it asks about others, its **query set**. Learning from so
# few examples is called few-shot learning (少样本学习).
#
# Our first tasks are sine waves. Each task is one wave, $y = A \sin(x - \varphi)$. You are shown five of its points.
# You are asked for its height at five other places.

# %%
import matplotlib.pyplot as plt
import torch

from taskembed_edu import Sinusoids

family = Sinusoids()
tasks = family.sample(4, n_shot=5, rng=torch.Generator().manual_seed(0))
for task in tasks:
    print(task)

# %% [markdown]
# **Predict.** You will see five filled points of each wave. Is that enough to know the rest of the curve? What else
# would you have to know?

# %%
figure, axes = plt.subplots(1, 4, figsize=(13, 2.8), sharex=True, sharey=True, layout="constrained")
x = torch.linspace(-5, 5, 200).reshape(1, 200, 1).expand(4, 200, 1)
curves = family.curve(tasks.truth, x)
for ax, task, curve in zip(axes, tasks, curves, strict=True):
    ax.plot(x[0], curve, ":", color="#808080")
    ax.plot(task.episode.support_x, task.episode.support_y, "o", color="#0072b2", label="support: study these")
    ax.plot(task.episode.query_x, task.episode.query_y, "o", mfc="white", color="#d55e00", label="query: answer these")
    ax.set_title(task.name, fontsize=10)
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# **Explain.** Five points say little to someone who knows nothing. They are plenty for someone who knows that every
# task here is a sine wave: only two numbers are missing, the amplitude $A$ and the phase $\varphi$. That knowledge is
# not in any one task. It is in the family of tasks, and it can be learned.
#
# ## Learning to learn
#
# Meta-learning (元学习) learns from many tasks how to learn the next one. It has two loops:
#
# - the **inner loop** (内部学习) works inside one task: it studies the support set to answer the query set;
# - the **outer loop** (外部学习) works across tasks: it improves what the inner loop starts from, so that the next
#   task needs fewer examples.
#
# For that it helps to know which tasks are alike. What was learned on one is worth most on its neighbours.

# %% [markdown]
# ## How far apart are two tasks?
#
# Two tasks are alike when they give the same answers. So compare their curves over one full wave: take the difference
# at each place, square it, average, take the root. A factor $\sqrt 2$ makes $A \sin x$ and $0$ exactly $A$ apart.
#
# **Predict.** The waves $2 \sin x$ and $2 \sin(x - \pi)$ have opposite phases. So have $0.1 \sin x$ and
# $0.1 \sin(x - \pi)$. Which two are farther apart? Or are both pairs equally far?

# %%
import math


def distance_by_hand(one, other):
    x = 2 * math.pi * torch.arange(1000) / 1000  # one full wave
    difference = one[0] * torch.sin(x - one[1]) - other[0] * torch.sin(x - other[1])
    return math.sqrt(2) * difference.square().mean().sqrt().item()


print(f"2 sin(x)   and 2 sin(x - pi):   {distance_by_hand((2, 0), (2, math.pi)):.3f}")
print(f"0.1 sin(x) and 0.1 sin(x - pi): {distance_by_hand((0.1, 0), (0.1, math.pi)):.3f}")

# %% [markdown]
# **Explain.** Both pairs differ by the same phase, and yet one pair is twenty times farther apart. A small wave is
# nearly flat whatever its phase. So the place of a task on a map is not given by its *parameters* but by its
# *behaviour*.
#
# There is a short cut. The wave $A \sin(x - \varphi)$ is the point $(A \cos\varphi,\ A \sin\varphi)$ in the plane, and
# our distance is the ordinary distance between two such points. The package computes it so. Both ways must agree:

# %%
true_distance = family.true_distance(tasks)
by_hand = [[distance_by_hand(one, other) for other in tasks.truth] for one in tasks.truth]
torch.testing.assert_close(true_distance, torch.tensor(by_hand), atol=1e-4, rtol=1e-4)
for row in true_distance:
    print("  ".join(f"{value:.2f}" for value in row))

# %% [markdown]
# Row $i$, column $j$: how far task $i$ is from task $j$. We know this table because we made the tasks. For the tasks
# of the real world nobody knows it. That is why one wants to *learn* it.
#
# ## Task embedding
#
# A task embedding (任务嵌入) turns a whole task into one short vector, so that tasks which are alike get vectors which
# are near. It is computed from the support set alone: it never sees $A$ and $\varphi$.
#
# | | takes in | gives | near means |
# |---|---|---|---|
# | feature embedding (特征嵌入) | one sample | one vector | these samples are alike |
# | task embedding (任务嵌入) | a whole data set | one vector | these tasks are alike |
#
# How can a network learn that if nobody tells it the distances? By a game. Draw **two** support sets of one task,
# independently. Their vectors should be near. The vectors of different tasks should be far. That is all it is told.
#
# ## The lab
#
# Each point of the map is one of 200 sine waves. The network is never trained on them. Two scores say how good the
# embedding is, both of them between 0 and 1 in a good run. (The third curve, *trustworthiness*, is about the map: how
# far neighbours on the map are neighbours in the embedding.)
#
# - **recall@1** asks for identity: each task's second support set looks for its first one among all 200;
# - **Spearman** asks for geometry: are pairs of tasks in the same order, from near to far, as in the true table?
#
# **Predict.** Before training the network is random. Which score is then near 0: recall@1, Spearman, both, neither?
# And which will training raise?
#
# Run the cell, press **Play**, and watch for half a minute.

# %%
from taskembed_edu import MetricLab

lab = MetricLab(family="sinusoids", loss="contrastive", margin=1.0, seed=0)
lab

# %% [markdown]
# Rather not wait? The next cell makes 500 steps at once. The panel above follows. (Played with other settings first?
# Then other words may stand below than those you found here: a *Reset* brings the beginning back.)

# %%
before = lab.session.history[0].diagnostics
after = lab.session.step(500).diagnostics
print("before training, recall@1 is below 0.1:", before["recall@1"] < 0.1)
print("before training, Spearman is above 0.4:", before["spearman"] > 0.4)
print(f"after {lab.session.steps} steps, recall@1 is above 0.5:", after["recall@1"] > 0.5)
print(f"after {lab.session.steps} steps, Spearman is above 0.8:", after["spearman"] > 0.8)

# %%
lab.session.set(projection="pca")  # PCA draws the map to scale; UMAP only keeps neighbours together
lab.picture()

# %% [markdown]
# **Explain.** A random network already keeps similar tasks together, roughly: similar inputs give similar outputs. So
# Spearman does not start at 0, and who reports it must say where it started. But a random network cannot tell a task
# from its neighbours, so recall@1 starts low, near the chance of one in 200. Training raises both.
#
# Now look at the picture. With $\varphi$ between $0$ and $\pi$, the points $(A \cos\varphi,\ A \sin\varphi)$ of the
# true geometry fill half a disc. Do you find it again, turned or bent? The colours are $A$. The network was never
# shown it.
#
# The exact scores differ a little from computer to computer. That is why the cell above prints bounds, not numbers.

# %% [markdown]
# ## Three things to try
#
# Use the panel, or the cell below: as it stands, it repeats the run above up to step 300. Each time: predict first.
#
# 1. **Margin 0**, then *Reset* and *Play*. Nothing pushes different tasks apart now. *Look for*: the loss falls, and
#    recall@1 stays low. A small loss is not yet a good embedding.
# 2. **Cosine distance**, then *Reset* and *Play*. *Look for*: the margin's slider ends at 2, because no cosine distance
#    is larger. Recall@1 rises, Spearman falls: each task is found again, but the map's order is not the true one.
# 3. **Another seed**, in the cell below. *Look for*: another picture, with nearly the same scores. Compare
#    scores between two runs, not pictures.

# %%
lab.session.reset(margin=1.0, metric="euclidean", seed=0)  # change one of the three, and run the cell again
lab.session.step(300)
lab.picture()

# %% [markdown]
# ## Exercises
#
# **1.** How far apart are the tasks $3 \sin x$ and $3 \cos x$? (Remember that $\cos x = \sin(x + \pi/2)$.)

# %%
my_distance = None  # put your number in place of None, and run the cell again

if my_distance is None:
    print("Your turn: where do the two tasks lie in the plane?")
else:
    right = abs(my_distance - distance_by_hand((3, 0), (3, -math.pi / 2))) < 0.01
    print("Right." if right else "Not yet: the points are (3, 0) and (0, -3).")

# %% [markdown]
# <details><summary>Solution</summary>
#
# The points are $(3, 0)$ and $(0, -3)$. Their distance is $\sqrt{3^2 + 3^2} = \sqrt{18} \approx 4.243$.
# </details>
#
# **2.** What is recall@1 of an embedding that guesses blindly among 200 tasks?

# %%
my_chance = None  # put your number in place of None, and run the cell again

if my_chance is None:
    print("Your turn: one of how many is right?")
else:
    print("Right." if abs(my_chance - 1 / 200) < 1e-6 else "Not yet: each task has 200 candidates, one of them right.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# One candidate of 200 is right, so $1/200 = 0.005$.
# </details>
#
# ## What to remember
#
# - A task is a support set to study and a query set to be judged by. Here the tasks are the data.
# - The inner loop learns one task; the outer loop learns, from many tasks, how to.
# - Tasks are near when they *behave* alike, whatever their parameters are.
# - A task embedding (任务嵌入) turns a whole data set into one vector.
# - Identity (recall@1) and geometry (Spearman) are two questions. A run can win one and lose the other.
# - Always compare with the untrained network.
#
# Next: [01 Distances](01_distances.ipynb).
#
# ## Sources
#
# - S. Thrun and L. Pratt (editors), *Learning to Learn*, 1998: the idea of the two loops.
# - O. Vinyals and others, *Matching Networks for One Shot Learning*, 2016: support sets, query sets, episodes.
# - C. Finn, P. Abbeel and S. Levine, *Model-Agnostic Meta-Learning*, 2017, section 5.1: these sine waves.
# - R. Hadsell, S. Chopra and Y. LeCun, *Dimensionality Reduction by Learning an Invariant Mapping*, 2006: the game of
#   near and far, and its loss.
# - L. McInnes, J. Healy and J. Melville, *UMAP*, 2018: how the map is drawn.
