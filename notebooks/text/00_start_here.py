# %% [markdown]
# # Start here: what a task embedding is
#
# You usually train one network for one task. In this course the tasks themselves are the data. You will measure how
# far apart two tasks are, and watch a network put two hundred of them on a map.
#
# ## What you will be able to do
#
# - say what a **task** (任务) is, and what its support set (支持集) and its query set (查询集) are for
# - say what **meta-learning** (元学习) learns, and tell its inner loop from its outer loop
# - compute the distance between two tasks by hand
# - say what a **task embedding** (任务嵌入) is, and how it differs from a feature embedding (特征嵌入)
# - read the two scores that say whether an embedding is any good
#
# **Time:** 60 minutes; the core path alone 35.
#
# ## What you need first
#
# Python, and to have trained a small network once. The mathematics is one sine wave and one square root.

# %% [markdown]
# ## First, look
#
# Run the cell below (Shift+Enter), then press **Play** in the panel that appears. Watch for a minute.
#
# Each point is a language. A small network learns to write its number words: 7 goes in, *seven* or *sieben* or *siedem*
# comes out. Each language has a network of its own, and no network sees another language. The map shows the networks'
# **weights**. Colours and shapes are the branches of the tree of languages. No network was told them.

# %% tags=["step-0"]
from taskembed_edu import ParameterLab
from taskembed_edu.course import check, expected, outcome, predict, tally

languages = ParameterLab("number_words", seed=0)
languages

# %% [markdown]
# Relatives come together. In a moment the next cell says how many. Nothing is explained yet: "why?" is answered in
# lesson 06. If you would rather not wait, the next cell makes 60 steps at once.

# %%
purity = languages.session.step(60).diagnostics["purity"]
expected(("languages whose nearest neighbour is a relative (by chance: 0.10)", purity, 0.70, 1.00))

# %% [markdown]
# ## How to use this course
#
# - **Predict.** A box asks for your guess. One click keeps it. A guess that turns out wrong is what you will remember.
# - **Run** the cell: Shift+Enter. Your own number stands beside the band that was seen on other machines.
# - **Explain** what you see, in one sentence of your own. Then open ours.
# - **Exercises** answer: they say what is wrong, and they have hints.
#
# Is a line of code or a panel cut at the side? *Ctrl+B* folds the list of files away.
#
# Are you lost? Choose *Kernel → Restart Kernel and Run All Cells*. What you predict and solve is kept on this computer
# only; `!taskembed progress` in a cell shows it.
#
# The course answers a short text on task embeddings, written in Chinese. We call it **the document**. Where the
# document is right, you will measure it. Where it slips, you will find the slip yourself.
#
# | lesson | question |
# |---|---|
# | **00 Start here** | What is a task, and what is a task embedding? |
# | [01 Distances](01_distances.ipynb) | When are two vectors near, and which measures are distances? |
# | [02 Contrastive and triplet loss](02_contrastive_and_triplet_loss.ipynb) | How does a loss teach nearness? |
# | [03 Tasks and families](03_tasks_and_families.ipynb) | What is a task made of, and what must its vector read? |
# | [04 Metric-based embedding](04_metric_based_embedding.ipynb) | How does one learn a map of tasks? |
# | [05 When embeddings fail](05_when_embeddings_fail.ipynb) | How does a map go wrong, and how does one see it? |
# | [06 Parameter-based embedding](06_parameter_based_embedding.ipynb) | Can a network's weights stand for its task? |
# | [07 Distributions of weights](07_distributions_of_weights.ipynb) | What does a whole cloud of weights say? |
# | [08 Inner and outer loops](08_inner_and_outer_loops.ipynb) | How does one learn to learn? |
# | [09 Judging and choosing](09_judging_and_choosing.ipynb) | How good is an embedding, and which to take? |
# | [10 Few-shot images](10_few_shot_images.ipynb) | What tells letters apart that nobody has shown? |
# | [12 Few-shot text and translation](12_few_shot_text_and_translation.ipynb) | Does one language help with the next? |
#
# (11 and 13 are planned: robots, your own tasks.)

# %% [markdown]
# ## A task is a small question
#
# A task gives you a few examples, its **support set**. Then it asks about others, its **query set**. Learning from so
# few examples is called few-shot learning (少样本学习).
#
# Here each task is one wave, $y = A \sin(x - \varphi)$. You are shown five of its points. You are asked for its height
# at five other places.

# %%
import matplotlib.pyplot as plt
import torch

from taskembed_edu import Sinusoids

family = Sinusoids()
tasks = family.sample(4, n_shot=5, rng=torch.Generator().manual_seed(0))
x = torch.linspace(-5, 5, 200).reshape(1, 200, 1).expand(4, 200, 1)
figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), sharex=True, sharey=True, layout="constrained")
for ax, task, curve in zip(axes, tasks, family.curve(tasks.truth, x), strict=True):
    ax.plot(x[0], curve, ":", color="#808080")
    ax.plot(task.episode.support_x, task.episode.support_y, "o", color="#0072b2", label="support: study these")
    ax.plot(task.episode.query_x, task.episode.query_y, "o", mfc="white", color="#d55e00", label="query: answer these")
    ax.set_title(task.name, fontsize=13)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=13)
plt.show()

# %% [markdown]
# Now let two students solve these four tasks. Both see the five filled points and nothing else of the task.
#
# - One trains a **network** on the five points, from random weights, until it fits them.
# - The other **knows the family**: every task here is a sine wave. So only two numbers are missing,
#   $y = a \sin x + b \cos x$, and five points are enough to find them (least squares).

# %%
predict("00.solved", "Who answers the query points well?", ["the network", "who knows the family", "both", "neither"])

# %%
from taskembed_edu import outputs_at, start_networks, task_learner, train_tasks

network = task_learner(family, "mlp")
start = start_networks(network, 4, torch.Generator().manual_seed(0))
trained = train_tasks(network, tasks, 500, start=start, learning_rate=0.01)
by_network = outputs_at(network, trained.parameters, tasks.query_x)[..., None]


def waves(x):
    return torch.cat((x.sin(), x.cos()), dim=-1)


a_and_b = torch.linalg.lstsq(waves(tasks.support_x), tasks.support_y).solution
errors = [float((answers - tasks.query_y).abs().mean()) for answers in (by_network, waves(tasks.query_x) @ a_and_b)]
fits = float(trained.losses.max())
display(
    expected(
        ("the network: squared error on the five points it saw", fits, 0, 0.1),
        ("the network: mean error on the query points", errors[0], 0.1, 3),
        ("who knows the family: mean error on the query points", errors[1], 0, 0.001),
    ),
    outcome("00.solved", {"the network": errors[0] < 0.1, "who knows the family": errors[1] < 0.1}),
)

# %% [markdown]
# **Explain.** Both fit the five points that they saw. Five points say little to a student who knows nothing. They are
# enough for a student who knows that every task is a sine wave. That knowledge is not in any one task. It is in the
# *family* of tasks, and it can be learned.
#
# ## Learning to learn
#
# Meta-learning (元学习) learns from many tasks how to learn the next one. It has two loops:
#
# - the **inner loop** (内部学习) works inside one task: it studies the support set to answer the query set;
# - the **outer loop** (外部学习) works across tasks: it improves *how* the inner loop learns. It may learn where the
#   inner loop starts from, or the network that turns a support set into a vector (this lesson and 04).
#
# For that it helps to know which tasks are alike. What was learned on one task is worth most on its neighbours.

# %% [markdown]
# ## How far apart are two tasks?
#
# Two tasks are alike when they give the same answers. So compare their curves over one full wave: take the difference
# at each place, square it, average, take the root. A factor $\sqrt 2$ makes $A \sin x$ and $0$ exactly $A$ apart.
#
# The waves $2 \sin x$ and $2 \sin(x - \pi)$ have opposite phases. So have $0.1 \sin x$ and $0.1 \sin(x - \pi)$.

# %%
predict("00.far", "Which two are farther apart?", ["the large waves", "the small waves", "both pairs equally"])

# %%
import math


def distance_by_hand(one, other):
    x = 2 * math.pi * torch.arange(1000) / 1000  # one full wave
    difference = one[0] * torch.sin(x - one[1]) - other[0] * torch.sin(x - other[1])
    return math.sqrt(2) * difference.square().mean().sqrt().item()


large, small = (distance_by_hand((amplitude, 0), (amplitude, math.pi)) for amplitude in (2, 0.1))
print(f"2 sin(x)   and 2 sin(x - pi):   {large:.3f}")
print(f"0.1 sin(x) and 0.1 sin(x - pi): {small:.3f}")
by_hand = torch.tensor([[distance_by_hand(one, other) for other in tasks.truth] for one in tasks.truth])
torch.testing.assert_close(family.true_distance(tasks), by_hand, atol=1e-4, rtol=1e-4)  # the package says the same
same = math.isclose(large, small)
outcome("00.far", {"the large waves": large > small, "the small waves": small > large, "both pairs equally": same})

# %% [markdown]
# **Explain.** The phases are the same, and one pair is twenty times farther apart. A small wave is nearly flat whatever
# its phase. So the place of a task on a map is not given by its *parameters* but by its *behaviour*.
#
# There is a short cut. The wave $A \sin(x - \varphi)$ is the point $(A \cos\varphi,\ A \sin\varphi)$ in the plane, and
# our distance is the ordinary distance between two such points. The package computes it so, and the cell above has
# compared both ways.
#
# We know this distance because we made the tasks. For the tasks of the real world nobody knows it. That is why one
# wants to *learn* it.
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
# embedding is; in a good run both are near 1.
#
# - **recall@1** asks for identity. Each task has a second support set. Of all 200 tasks, is its own first set the
#   nearest one?
# - **Spearman** asks for geometry: are pairs of tasks in the same order, from near to far, as in the true table?
#
# (A third curve, *trustworthiness*, is about the map alone: are neighbours on the map neighbours in the embedding?)

# %%
predict(
    "00.first_score",
    "Before training the network is random. Which score is then near 0?",
    ["recall@1", "Spearman", "both", "neither"],
)

# %% [markdown]
# Run the cell, press **Play**, and watch for half a minute.

# %% tags=["step-0"]
from taskembed_edu import MetricLab

lab = MetricLab(family="sinusoids", loss="contrastive", margin=1.0, seed=0)
lab

# %% [markdown]
# If you would rather not wait, the next cell makes 500 more steps at once, and the panel above follows. (Have you
# changed a setting? Then other numbers may stand below. *Reset* brings the beginning back.)

# %%
before = lab.session.history[0].diagnostics
lab.session.step(500)
after = lab.session.history.at_step(500).diagnostics
lab.session.set(projection="pca")  # PCA draws the map to scale; UMAP only keeps neighbours together
display(
    lab.picture(),
    expected(
        ("recall@1 before training (by chance: 0.005)", before["recall@1"], 0, 0.1),
        ("Spearman before training", before["spearman"], 0.4, 0.8),
        ("recall@1 after 500 steps", after["recall@1"], 0.55, 0.95),
        ("Spearman after 500 steps", after["spearman"], 0.8, 0.97),
    ),
    outcome("00.first_score", {"recall@1": before["recall@1"] < 0.1, "Spearman": before["spearman"] < 0.1}),
)

# %% [markdown]
# **Explain.** Similar inputs give similar outputs, even in a random network. So Spearman does not start at 0, and who
# reports it must say where it started. But a random network cannot tell a task from its neighbours: recall@1 starts
# near chance. Training raises both.
#
# Now look at the picture. With $\varphi$ between $0$ and $\pi$, the points $(A \cos\varphi,\ A \sin\varphi)$ of the
# true geometry fill half a disc. Do you find it again, turned or bent? The colours are $A$. The network was never
# shown it.

# %% [markdown]
# ## Three things to try
#
# Use the panel. Each time: predict first.
#
# 1. **Margin 0**, then *Reset* and *Play*. Nothing pushes different tasks apart now.
# 2. **Cosine distance**, then *Reset* and *Play*. The margin's slider ends at 2: no cosine distance is larger.
# 3. **Another seed**: the button *New seed*, then *Play*.
#
# <details><summary>What is to be seen</summary>
#
# 1. The loss falls, and recall@1 stays low. A small loss is not yet a good embedding.
# 2. Recall@1 rises and Spearman falls: each task is found again, but the map's order is not the true one.
# 3. Another picture. Spearman is nearly the same (0.87 to 0.91 for four seeds at step 300); recall@1 is not (0.56 to
#    0.77). So compare scores between two runs, not pictures, and look at more than one seed.
# </details>
#
# ## Exercises
#
# **1.** How far apart are the tasks $3 \sin x$ and $3 \cos x$? (Remember that $\cos x = \sin(x + \pi/2)$.)

# %%
# solution
my_distance = math.sqrt(18)
# stub
# my_distance = None  # put your number in place of None, and run the cell again
# end
check("00.opposite_waves", my_distance)

# %% [markdown]
# **2.** What is recall@1 of an embedding that guesses blindly among 200 tasks?

# %%
# solution
my_chance = 1 / 200
# stub
# my_chance = None  # put your number in place of None, and run the cell again
# end
check("00.chance", my_chance)

# %% [markdown]
# **3. An open investigation.** With the lab's own settings recall@1 is about 0.65 after 200 steps. Bring it to 0.8
# within 200 steps, with Spearman at 0.8 or more. Use the panel: change a setting, *Reset*, *Play*. The check reads the
# lab.

# %%
# solution
lab.session.reset(n_shot=64)
lab.session.step(200)
# stub
# # Use the panel above, then run this cell.
# end
display(check("00.what_is_missing", lab), tally("00"))

# %% [markdown]
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
# - J. Schmidhuber, *Evolutionary Principles in Self-Referential Learning*, 1987, and Y. Bengio, S. Bengio and
#   J. Cloutier, *Learning a Synaptic Learning Rule*, 1991: learning to learn in two loops.
# - O. Vinyals and others, *Matching Networks for One Shot Learning*, 2016: support sets and episodes.
# - J. Snell, K. Swersky and R. Zemel, *Prototypical Networks for Few-shot Learning*, 2017: a support and a query set in
#   each episode.
# - C. Finn, P. Abbeel and S. Levine, *Model-Agnostic Meta-Learning*, 2017, section 5.1: these sine waves.
# - R. Hadsell, S. Chopra and Y. LeCun, *Dimensionality Reduction by Learning an Invariant Mapping*, 2006: the game of
#   near and far, and its loss.
# - L. McInnes, J. Healy and J. Melville, *UMAP*, 2018: how the map is drawn.
