# %% [markdown]
# # Start here: what a task embedding is
#
# You usually train one network for one task. In this course the tasks themselves are the data. You will measure how far
# two tasks are apart, and watch a network put two hundred of them on a map.
#
# ## What you will be able to do
#
# - say what a **task** (任务) is, and what its support set (支持集) and its query set (查询集) are for
# - say what **meta-learning** (元学习) learns, and tell its inner loop from its outer loop
# - compute the distance between two tasks by hand
# - say what a **task embedding** (任务嵌入) is, and how it differs from a feature embedding (特征嵌入)
#
# **Time:** 30 minutes.
#
# ## What you need first
#
# Python, and to have trained a small network once. The mathematics is one sine wave and one square root.

# %% [markdown]
# ## How to use this course
#
# Each step has three parts. **Predict**: write your guess down before you run the cell. A guess that turns out wrong is
# what you will remember. **Run** the cell: Shift+Enter. **Explain** what you see, in one sentence, before you read on.
#
# Lost? Choose *Kernel → Restart Kernel and Run All Cells*. Nothing can break: every lesson runs from top to bottom
# in under a minute.
#
# | lesson | question |
# |---|---|
# | **00 Start here** | What is a task, and what is a task embedding? |
# | [01 Distances](01_distances.ipynb) | When are two vectors near each other, and which measures are distances at all? |
# | [02 Contrastive and triplet loss](02_contrastive_and_triplet_loss.ipynb) | How does a loss teach a network which vectors should be near? |

# %% [markdown]
# ## A task is a small question
#
# A task gives you a few examples, its **support set**. It then asks about others, its **query set**. Learning from so
# few examples is called few-shot learning (少样本学习).
#
# Our first tasks are sine waves. Each task is one wave, $y = A \sin(x - \varphi)$. You are shown five of its points. You
# are asked for the height at five other places.

# %%
import matplotlib.pyplot as plt
import torch

from taskembed_edu import Sinusoids

family = Sinusoids()
tasks = family.sample(4, n_shot=5, rng=torch.Generator().manual_seed(0))
for task in tasks:
    print(task)

# %% [markdown]
# **Predict.** Look at the filled points only. For which of the four tasks could you draw the rest of the curve?

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
# **Explain.** Five points say little to someone who knows nothing. They say nearly everything to someone who knows that
# every task here is a sine wave: only two numbers are missing, the amplitude $A$ and the phase $\varphi$. That knowledge is
# not in any one task. It is in the family of tasks, and it can be learned.
#
# ## Learning to learn
#
# Meta-learning (元学习) learns from many tasks how to learn the next one. It has two loops:
#
# - the **inner loop** (内部学习) works inside one task: it studies the support set to answer the query set;
# - the **outer loop** (外部学习) works across tasks: it changes whatever the inner loop starts from, so that the next
#   task needs fewer examples.
#
# For that it helps to know which tasks are alike. What was learned on one is worth most on its neighbours.

# %% [markdown]
# ## How far apart are two tasks?
#
# Two tasks are alike when they give the same answers. So compare the two curves over one full wave: take the difference
# at each place, square it, average, take the root. We scale by $\sqrt 2$, so that $A \sin x$ and $0$ are exactly $A$ apart.
#
# **Predict.** The waves $2 \sin x$ and $2 \sin(x - \pi)$ have opposite phases. So have $0.1 \sin x$ and
# $0.1 \sin(x - \pi)$. Which two tasks are farther apart, or are both pairs equally far?

# %%
import math


def distance_by_hand(one, other):
    x = 2 * math.pi * torch.arange(1000) / 1000  # one full wave
    difference = one[0] * torch.sin(x - one[1]) - other[0] * torch.sin(x - other[1])
    return math.sqrt(2) * difference.square().mean().sqrt().item()


print(f"2 sin(x)   and 2 sin(x - pi):   {distance_by_hand((2, 0), (2, math.pi)):.3f}")
print(f"0.1 sin(x) and 0.1 sin(x - pi): {distance_by_hand((0.1, 0), (0.1, math.pi)):.3f}")

# %% [markdown]
# **Explain.** Both pairs differ by the same phase, and yet one is twenty times farther apart. A small wave is nearly flat
# whatever its phase. So the *parameters* of a task are not its place on a map: its *behaviour* is.
#
# There is a short cut. The wave $A \sin(x - \varphi)$ is the point $(A \cos\varphi,\ A \sin\varphi)$ in the plane, and our
# distance is the ordinary distance between two such points. The package computes it so. Both ways must agree:

# %%
true_distance = family.true_distance(tasks)
by_hand = [[distance_by_hand(one, other) for other in tasks.truth] for one in tasks.truth]
torch.testing.assert_close(true_distance, torch.tensor(by_hand), atol=1e-4, rtol=1e-4)
for row in true_distance:
    print("  ".join(f"{value:6.3f}" for value in row))

# %% [markdown]
# Row $i$, column $j$: how far task $i$ is from task $j$. We know this table because we made the tasks. For tasks of the
# real world nobody knows it, and that is why one wants to *learn* it.
#
# ## Task embedding
#
# A task embedding (任务嵌入) turns a whole task into one short vector, so that tasks which are alike get vectors which are
# near. It is computed from the support set alone: it never sees $A$ and $\varphi$.
#
# | | takes in | gives | near means |
# |---|---|---|---|
# | feature embedding (特征嵌入) | one sample | one vector | these samples are alike |
# | task embedding (任务嵌入) | a whole data set | one vector | these tasks are alike |
#
# How could a network learn that without being told the distances? By a game. Draw **two** support sets of one task,
# independently. Their vectors should be near. The vectors of different tasks should be far. That is all it is told.
