# %% [markdown]
# # The parameter-based embedder: a network's weights as the task's vector
#
# Lesson [04](04_metric_based_embedding.ipynb) trained one network that reads all tasks. The course's second method
# (基于模型参数的方法) trains one small network **for each task**. What the network has learnt is in its weights, so the
# weights are the task's vector. The document, a short Chinese text on task embeddings, says so in three steps.
# It leaves one condition out. You will find it by breaking it.
#
# ## What you will be able to do
#
# - train a model a task, and take its parameters (模型参数) as the task's embedding (任务嵌入)
# - say why this needs one **shared start** (共享初始化), and show by hand why: permutation symmetry (置换对称性)
# - find the branches of languages in the weights of networks that spell numbers, and give chance beside the score
# - fit a distribution of parameters (参数分布), and draw from it a network that nobody trained and that works
# - ask a conditional generator (条件生成器) for the network of a task that it has never seen
# - compute Task2Vec's distance of two tasks from their Fisher information (费舍尔信息)
# - compare this method with the metric-based one on the same tasks
#
# **Time:** 60 minutes.
#
# ## What you need first
#
# Lessons [00](00_start_here.ipynb), [01](01_distances.ipynb) and [04](04_metric_based_embedding.ipynb). As in lesson 04
# these cells print the **band** in which a number lies, because what a network learned differs a little from computer
# to computer. The pictures show the number itself.

# %%
import math
import statistics

import matplotlib.pyplot as plt
import torch

from taskembed_edu.course import check, expected, tally


def band(value, *edges):
    low = max((edge for edge in edges if edge <= value), default=-math.inf)
    high = min((edge for edge in edges if edge > value), default=math.inf)
    return f"below {high:g}" if low == -math.inf else f"above {low:g}" if high == math.inf else f"{low:g} to {high:g}"


print("0.37 lies in the band", band(0.37, 0, 0.25, 0.5, 1))

# %% [markdown]
# ## The document's steps, by hand
#
# **Step 1, the task set** (任务集合): 60 sine waves of lesson 00, 16 points each. The true distance of two waves is
# known, so the vectors can be judged.
#
# **Step 2, train a model a task.** The document leaves the model open, recurrent (循环神经网络) or convolutional
# (卷积神经网络), and the loss as well: cross-entropy (交叉熵损失) or squared error (均方误差损失). A wave is a curve,
# so its model is a small perceptron (multi-layer perceptron, MLP) and its loss the squared error.
#
# **Step 3, the parameters are the vector.** All weights and biases, one below the other.
#
# **Predict.** The perceptron has one input, two hidden layers of 32 units, and one output. How long is a task's vector?

# %%
from taskembed_edu import MLP, Sinusoids, start_networks, train_tasks, weight_vectors

rng = torch.Generator().manual_seed(0)
train, _validation, unseen = Sinusoids().split(rng)
tasks = unseen.sample(60, rng=rng)
learner = MLP(n_in=1, n_out=1, hidden=(32, 32), activation="tanh")
shared = start_networks(learner, 60, rng)  # the same first weights, 60 times
print("numbers in a task's vector:", learner.n_parameters)

# %% [markdown]
# **Explain.** $1 \cdot 32 + 32$ for the first hidden layer, $32 \cdot 32 + 32$ for the second, $32 + 1$ for the output:
# 1,153. That is long for a wave with two parameters. The document speaks of *low-dimensional* vectors (低维向量);
# this one is not.
#
# Now two tasks by a plain loop of gradient descent (SGD): each weight $w$ moves by $-0.01$ times its gradient.

# %%
by_hand = []
for x, y in zip(tasks.support_x[:2], tasks.support_y[:2], strict=True):
    weights = [value[0].clone().requires_grad_() for value in shared.values()]
    for _step in range(50):
        loss = (learner.apply(dict(zip(shared, weights, strict=True)), x) - y).square().mean()
        gradients = torch.autograd.grad(loss, weights)
        weights = [(w - 0.01 * g).detach().requires_grad_() for w, g in zip(weights, gradients, strict=True)]
    by_hand.append(torch.cat([w.detach().flatten() for w in weights]))

start = {name: value[:2] for name, value in shared.items()}
trained = train_tasks(learner, tasks[:2], 50, start=start, optimiser="sgd", learning_rate=0.01)
torch.testing.assert_close(torch.stack(by_hand), weight_vectors(learner, trained.parameters), rtol=1e-3, atol=1e-4)
print("two tasks, one by one and both at once: the same", len(by_hand[0]), "weights each")

# %% [markdown]
# **Explain.** The package trains all networks in one batched call. No task hears of another: the gradient of the sum of
# the losses is, for each network, its own gradient. It is only quicker.
#
# ## Shared start or own starts
#
# The document does not say where training begins. Three ways, 500 steps each:
#
# - *shared*: all 60 networks begin from the same random weights, SGD
# - *own*: each network begins from random weights of its own, SGD
# - *shared, Adam*: one start, and the optimiser that most people would take
#
# **Predict.** All three learn their tasks. In which are similar waves near? Spearman's correlation of the distance of
# the weights with the true distance: above 0.86, around 0.7, or below 0.6?

# %%
from taskembed_edu import TrueGeometry

geometry = TrueGeometry(unseen.true_distance(tasks))
own = start_networks(learner, 60, rng, shared=False)
ways = {"shared": (shared, "sgd"), "own": (own, "sgd"), "shared, Adam": (shared, "adam")}
runs = {way: train_tasks(learner, tasks, 500, start=s, optimiser=o, learning_rate=0.01) for way, (s, o) in ways.items()}
vectors = {way: weight_vectors(learner, run.parameters) for way, run in runs.items()}
for way, run in runs.items():
    learnt = band(float(run.losses.mean()), 0.02, 0.5)
    print(f"{way:13} loss {learnt:11} Spearman {band(geometry.spearman(vectors[way]), 0.6, 0.86)}")

# %%
from taskembed_edu import pca_layout

_figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained", dpi=60)
for ax, (way, found) in zip(axes, vectors.items(), strict=True):
    ax.scatter(*pca_layout(found).T, c=tasks.truth[:, 1], s=10 + 12 * tasks.truth[:, 0], cmap="cividis")
    ax.set(title=f"{way}: Spearman {geometry.spearman(found):.2f}", xticks=[], yticks=[])
    ax.set_aspect("equal", adjustable="datalim")
plt.show()

# %% [markdown]
# **Explain.** Colour is the phase, size the amplitude. With a shared start both are in order, and nobody had asked for
# it. With own starts they are not, though each network learnt its wave just as well. **"Take the parameters as the
# task's vector" is too simple: it works with a shared start.** From one start the networks go different ways, and the
# ways can be compared.
#
# SGD goes as far as the gradient says, so tasks that differ more go farther apart. Adam divides each weight's step by
# the size of its own gradients. It learns sooner, and it blurs that geometry.
#
# ## Why: one function, many weights
#
# **Predict.** A network of two hidden units (隐藏单元): $f(x) = v_1 \tanh(w_1 x + b_1) + v_2 \tanh(w_2 x + b_2) + c$.
# Here $w$ and $b$ lead into a unit, $v$ reads it. Let the two units change places. How far does the function move? How
# far do the weights?

# %%
from taskembed_edu import flip_signs, permute_units

small = MLP(n_in=1, n_out=1, hidden=(2,), activation="tanh")
one = {"hidden_1.weight": torch.tensor([[2.0, -1.0]]), "hidden_1.bias": torch.tensor([[0.0, 1.0]])}
one |= {"output.weight": torch.tensor([[1.0], [3.0]]), "output.bias": torch.tensor([[0.5]])}
swapped = {
    "hidden_1.weight": one["hidden_1.weight"][:, [1, 0]],  # what leads into the units
    "hidden_1.bias": one["hidden_1.bias"][:, [1, 0]],
    "output.weight": one["output.weight"][[1, 0]],  # what reads them
    "output.bias": one["output.bias"],
}
for name, value in permute_units(small, one, "hidden_1", torch.tensor([1, 0])).items():
    torch.testing.assert_close(value, swapped[name])

# %%
x = torch.linspace(-5, 5, 101)[:, None]
turned = flip_signs(small, one, "hidden_1", torch.tensor([1, -1]))  # tanh(-a) = -tanh(a): the sign may go in and out


def weights_apart(a, b):
    return math.sqrt(sum(float((a[name] - b[name]).square().sum()) for name in a))


for name, twin in {"places changed": swapped, "one sign turned": turned}.items():
    answers_apart = float((small.apply(one, x) - small.apply(twin, x)).abs().max())
    print(f"{name:15} answers apart: {round(answers_apart, 4)}, weights apart: {weights_apart(one, twin):.4f}")

# %% [markdown]
# **Explain.** The same function, and other weights: $\sqrt{9 + 9 + 1 + 1 + 4 + 4} = \sqrt{28} = 5.2915$ apart. The sum
# does not care which unit comes first. Two units have $2!$ orders, and $2^2$ choices of signs for tanh. A layer of 32
# has

# %%
print(f"32! = {math.factorial(32):.1e} orders, with signs {math.factorial(32) * 2**32:.1e}")

# %% [markdown]
# and each of them is the same function. Which one a network ends at is an accident of its start. With one shared start
# unit 7 of one network and unit 7 of another come from the same unit, and their weights may be compared.
#
# **Predict.** Can it be repaired afterwards? `match_all` finds, for each network, the order (and the signs) of its
# units that brings it near the first network (Git Re-Basin, Ainsworth 2023). It is exactly the right cure for a
# mere reordering. Does the Spearman of the own starts rise to that of the shared start?

# %%
from taskembed_edu import function_distance, match_all

matched = match_all(learner, runs["own"].parameters, rng=rng)
after = geometry.spearman(weight_vectors(learner, matched.parameters))
nearer = float(matched.distance[1:].mean() / matched.before[1:].mean())
print("distance to the first network: falls to a share of", band(nearer, 0.3, 0.7))
own_before, aim = geometry.spearman(vectors["own"]), geometry.spearman(vectors["shared"])
print(f"Spearman rises: {after > own_before + 0.05}, to that of the shared start: {after > aim - 0.05}")
regained = (after - own_before) / (aim - own_before)
functions = geometry.rank_correlation(function_distance(learner, runs["own"].parameters, x))
expected(
    ("Spearman, own starts", own_before, 0.1, 0.5),
    ("own starts, matched", after, 0.55, 0.9),
    ("shared start", aim, 0.86, 1),
    ("the share of the gap that matching closes", regained, 0.5, 0.9),
    ("own starts, compared by their answers", functions, 0.9, 1),
)

# %% [markdown] **Explain.** Much of it comes back, not all. `match_all` looks for orders and signs by turns, so it
# finds a good order and not always the best one; and two networks that learnt one wave from two starts are more than
# reorderings of each other. (Git Re-Basin uses orders alone. The signs are this package's addition.) Compare the
# *answers* at the same inputs, and the start hardly matters: a function has no hidden units. But answers need inputs
# that all tasks share, and the vector is then no longer the parameters.
#
# ## Digits with a convolutional network
#
# Now classes. A task is three handwritten digits, all turned by one angle, as in lesson 04. Its model is a small
# convolutional network, its loss the cross-entropy. All networks have one start.
#
# The difference from the start, $w - w_0$, says which way a network went. Compare these ways by the cosine distance,
# and it does not count how far each went.
#
# **Predict.** The network is told the labels 0, 1, 2, and neither which digits these are nor the angle. Which layer's
# weights know more about the angle, the first filters or the last layer? Which more about the digits?

# %%
from taskembed_edu import Digits, task_learner

rng = torch.Generator().manual_seed(1)
digits = Digits().split(rng).unseen
pictures = digits.sample(60, rng=rng)
reader = task_learner(digits)
begin = start_networks(reader, 60, rng)
read = train_tasks(reader, pictures, 200, start=begin, optimiser="sgd", learning_rate=0.1)
with torch.no_grad():
    answers = reader.apply(read.parameters, pictures.query_x).argmax(dim=-1)
right = float((answers == pictures.query_y).double().mean())
print("right on pictures never trained on:", band(right, 0.5, 0.75), "  by chance: 0.333")

# %%
angle, members = pictures.truth[:, :1], pictures.truth[:, 1:]  # which digits: ten entries, 1 where the task has it
truths = {name: TrueGeometry(torch.cdist(part, part)) for name, part in {"angle": angle, "digits": members}.items()}
for layer in reader.layers:
    ways = weight_vectors(reader, read.parameters, layer=layer, form="difference", start=begin)
    told = [f"{name} {band(truth.spearman(ways, 'cosine'), 0.1, 0.3)}" for name, truth in truths.items()]
    print(f"{layer:14}{ways.shape[1]:5} numbers, Spearman with the", ",  ".join(told))

# %%
both = TrueGeometry(digits.true_distance(pictures))
for name, shares in {"shared start": True, "own starts": False}.items():
    begin = start_networks(reader, 60, rng, shared=shares)
    read = train_tasks(reader, pictures, 200, start=begin, optimiser="sgd", learning_rate=0.1)
    ways = weight_vectors(reader, read.parameters, form="difference", start=begin)
    print(f"{name:12} Spearman with the whole true distance: {band(both.spearman(ways, 'cosine'), 0.15)}")

# %% [markdown]
# **Explain.** The last layer says which digits the task tells apart and next to nothing about the angle. The first
# filters, which look at strokes, know more of the angle. So "the parameters" is a choice: which layer stands for the
# task decides what near means. All these correlations are far below those of the waves, though the networks answer
# well: what a network can do and how its weights are ordered are two questions. With own starts nothing is left.

# %% [markdown]
# ## Languages with a recurrent network
#
# A task is a language: spell the numbers. The network is a gated recurrent unit (门控循环单元, GRU): the number goes
# in, and out comes its word, letter by letter, with the cross-entropy of each letter. There are 42 languages. Nobody
# tells the networks which of them are related. 34 of them have a relative of their own branch (语支) in the table,
# such as Spanish and Portuguese; the other 8 have none and are not counted.
#
# The score is **purity** (纯度): the share of these 34 whose nearest neighbour is of their branch. Chance is the mean
# share of mates among the other 41.
#
# ### The lab
#
# Press **Play**. The map is PCA; the trails are the ways of the networks. Point at a language to read what its
# network spells by now.
#
# **Predict.** At step 0 all networks are the same network, so there is one point. Which comes first: words that are
# spelt right, or branches on the map?

# %%
from taskembed_edu import ParameterLab

lab = ParameterLab("number_words", seed=0)
lab

# %%
lab.session.step(60)  # rather not wait? The panel above follows
scores = lab.session.frame.diagnostics
tree = band(scores["spearman"], 0.2)
print("purity:", band(scores["purity"], 0.4, 0.8), "  Spearman with the tree of languages:", tree)
print(
    "loss a letter:",
    band(lab.session.history[1].loss, 0.3, 2),
    "at first,",
    band(lab.session.frame.loss, 0.3, 2),
    "now",
)
lab.picture()

# %% [markdown]
# **Explain.** The branches. The loss is still far from zero, most words are not spelt right, and yet each network has
# already set off in the direction of its language. What is read is the *way*, not the arrival.
#
# One run is one draw. So five seeds, each with other words and another start, and two of them with own starts.
#
# **Predict.** How high is the purity with own starts?

# %%
from taskembed_edu import NumberWords, neighbour_purity, pairwise_distances, purity_by_chance


def ways_of_languages(seed, shared=True):
    rng = torch.Generator().manual_seed(seed)
    languages = NumberWords().sample(42, n_shot=25, rng=rng)
    speller = task_learner(NumberWords(), "gru", hidden=32)
    start = start_networks(speller, 42, rng, shared=shared)
    run = train_tasks(speller, languages, 50, start=start, learning_rate=0.01)
    ways = weight_vectors(speller, run.parameters, form="difference", start=start)
    return pairwise_distances(ways, metric="cosine"), languages


# %%
found = {seed: ways_of_languages(seed) for seed in range(5)}
purities = {seed: neighbour_purity(apart, languages.truth[:, 1]) for seed, (apart, languages) in found.items()}
for seed, purity in purities.items():
    print(f"shared start, seed {seed}: purity", band(purity, 0.4, 0.8))
print("median of 5 seeds at least 0.85:", statistics.median(purities.values()) >= 0.85)
lost = [ways_of_languages(seed, shared=False) for seed in range(2)]
for seed, (apart, languages) in enumerate(lost):
    print(f"own starts, seed {seed}:   purity", band(neighbour_purity(apart, languages.truth[:, 1]), 0.4, 0.8))
print(f"by chance: {purity_by_chance(found[0][1].truth[:, 1]):.3f}")

# %%
_figure, ax = plt.subplots(figsize=(9, 2.6), layout="constrained", dpi=60)
ax.bar([f"shared {seed}" for seed in purities], list(purities.values()), color="#1f5a94")
ax.bar(["own 0", "own 1"], [neighbour_purity(apart, of.truth[:, 1]) for apart, of in lost], color="#b0681e")
ax.axhline(purity_by_chance(languages.truth[:, 1]), color="black", linestyle=":")
ax.set(ylabel="purity", ylim=(0, 1), title="dotted: chance")
plt.show()

# %% [markdown]
# **Explain.** With a shared start the branches appear, though no network ever saw a second language. With own starts
# they fall to about twice chance. The branches are those of Glottolog.
#
# Who is near whom? The most frequent nearest neighbour in five seeds:

# %%
neighbours = {}
for apart, languages in found.values():
    nearest = apart.clone().fill_diagonal_(math.inf).argmin(dim=1).tolist()
    for i, j in enumerate(nearest):
        neighbours.setdefault(languages.names[i], []).append(languages.names[j])
for name in ("Spanish", "Dutch", "Lithuanian", "Ukrainian", "Kazakh", "Arabic"):
    print(f"{name:10} {statistics.mode(neighbours[name])}")

# %% [markdown]
# **Explain.** Kazakh is alone in its branch and finds Azerbaijani, of its family. Arabic finds Persian, which is no
# relative: both are written without most vowels. What the networks learnt is *spelling in Latin letters*, and two
# languages may be near in that for another reason than descent. An embedding captures the similarity that is in its
# data.

# %% [markdown]
# ## How parameters are distributed
#
# The document's last clause: learn the **distribution** of the parameters. 200 training waves, 50 points each, one
# start. Their 1,153 weights differ in few directions. There we fit a Gaussian (高斯分布) in 4 directions, and one small
# variance in all others: probabilistic PCA (Tipping and Bishop 1999).
#
# **Predict.** Draw 100 networks from it. Nobody trained them. Does such a network compute a sine wave? And if the 200
# networks had own starts?

# %%
from taskembed_edu import best_fit, compare_starts, fit_gaussian, novelty

many = train.sample(200, n_shot=50, rng=rng)
pool = Sinusoids().sample(300, n_shot=32, rng=rng)  # for each network: which of these waves does it compute, how well?


def trained_from(shared):
    start = start_networks(learner, 200, rng, shared=shared)
    return train_tasks(learner, many, 600, start=start, optimiser="sgd", learning_rate=0.02).parameters


networks = {"shared start": trained_from(True), "own starts": trained_from(False)}
laws = {name: fit_gaussian(learner, parameters, components=4) for name, parameters in networks.items()}
drawn = {name: law.sample(100, rng) for name, law in laws.items()}
drawn["not trained"] = start_networks(learner, 100, rng, shared=False)

# %%
compared = {"(trained)": networks["shared start"], **drawn}
fits = {name: best_fit(learner, parameters, pool)[0] for name, parameters in compared.items()}
for name, losses in fits.items():
    print(f"{name:13} unexplained share of the wave that fits best: median {band(float(losses.median()), 0.1, 0.4)}")
print("the best draw from the shared start's:", band(float(fits["shared start"].min()), 0.1, 0.4))
away = float(novelty(drawn["shared start"], networks["shared start"]).median())
print("novelty (a copy has 0, a trained network among the others 1): median", band(away, 1, 3))

# %%
curves = {name: learner.apply({k: v[:5] for k, v in p.items()}, x.expand(5, -1, -1)) for name, p in drawn.items()}
_figure, axes = plt.subplots(1, 3, figsize=(9, 2.5), sharey=True, layout="constrained", dpi=60)
for ax, (name, y) in zip(axes, curves.items(), strict=True):
    ax.plot(x, y.squeeze(-1).T)
    ax.set(title=f"five draws: {name}", xlabel="x")
plt.show()

# %% [markdown]
# **Explain.** For each drawn network `best_fit` looks for the wave that suits it, and gives the share of that wave's
# variance that the network leaves unexplained: 0 is perfect, 1 no better than a constant. Half of the draws explain
# more than 60 %, the best nearly all, and they are no copies: **networks that nobody trained, and that work.** A
# trained one is better still. Own starts have a Gaussian as well, but its draws are flat, no better than random
# weights: between two equal forms of a network lies no third. (`fit_mixture` fits several Gaussians, for tasks that
# come in kinds.)
#
# A distribution is also a place to begin. A new task, 16 points, and a few steps of SGD:
#
# **Predict.** Which start is best after 20 steps: the mean of the distribution, the trained network that fits the 16
# points best, or random weights?

# %%
fresh = unseen.sample(60, rng=rng)
steps = (0, 1, 5, 20)
law = laws["shared start"]
starts = compare_starts(learner, networks["shared start"], many, fresh, steps=steps, rng=rng, distribution=law)
for name, losses in starts.items():
    told = [f"after {n}: {band(loss, 0.5, 2)}" for n, loss in zip(steps, losses, strict=True)]
    print(f"{name:25} query loss", ", ".join(told))
print("mean better than random:", starts["mean of the distribution"][-1] < starts["random"][-1])

# %% [markdown]
# **Explain.** The nearest neighbour, and before its first step: this is the document's promise, an embedding that
# helps the model to adapt fast to a new task. The mean is far behind, though better than chance: the mean network
# answers about the mean wave, and one cannot be near all of them. (Meta-learning, Finn 2017, *learns* a start from
# which few steps suffice. That is another start than the mean of the ends.)
#
# The distribution gives *some* network. Can we ask for one? A **conditional generator** (条件生成器) is a small
# perceptron from a task's vector to a network's coordinates in the main directions of the weights (HyperNetworks, Ha
# 2017). Here the vector is the amplitude and the phase of a wave. It learns from the 200 training waves and their
# networks.
#
# **Predict.** Ask it for the 60 unseen waves. No example point is given and no gradient step is made. How much of the
# wave does the network leave unexplained: less than a quarter, half, or all?

# %%
from taskembed_edu import fit_generator

generator = fit_generator(learner, networks["shared start"], many.truth, rng=rng)
made = generator.generate(fresh.truth)
for name, turn in {"the wave that was asked for": 0, "another of the 60": 1}.items():
    query_x, query_y = fresh.query_x.roll(turn, 0), fresh.query_y.roll(turn, 0)
    left = learner.losses(made, query_x, query_y) / query_y.square().mean(dim=(1, 2))
    print(f"{name:28} unexplained share: median {band(float(left.median()), 0.25, 0.75)}")

# %%
knobs = {
    "phase": [(3.0, math.pi * k / 3) for k in range(4)],  # amplitude 3, and the phase is turned
    "amplitude": [(1.0 + k, math.pi / 2) for k in range(4)],
}
_figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained", dpi=60)
for ax, (name, asked) in zip(axes, knobs.items(), strict=True):
    asked_for = generator.generate(torch.tensor(asked))
    for k, y in enumerate(learner.apply(asked_for, x.expand(4, -1, -1)).squeeze(-1)):
        colour = plt.get_cmap("cividis")(k / 3.5)
        ax.plot(x, y, color=colour)
        ax.plot(x, asked[k][0] * torch.sin(x - asked[k][1]), color=colour, linestyle=":")
    ax.set(title=f"asked for (dotted): the {name} grows", xlabel="x")
plt.show()

# %% [markdown]
# **Explain.** For half of the waves less than a tenth: the vector of the task goes in, and a network that knows the
# task comes out. This is the document's last clause at its strongest. It works since all networks had one start, so
# that weights change smoothly with the task; and since the truth is a short vector that says all there is to say of a
# wave. Of languages no such vector is known. Dark to bright are small to large; dotted is the wave that was asked for.
# Look at the ends of the axis and at large amplitudes: there the answers miss it. The trained networks leave a
# twentieth themselves; the rest is what 200 examples do not tell of 1,153 weights.

# %% [markdown]
# ## Fisher: which weights matter
#
# There is another way to make vectors of *one* network comparable: do not ask where its weights went, but how much each
# of them matters to a task. **Fisher information** (费舍尔信息), its diagonal:
#
# $$F_k = \mathbb{E}_x\, \mathbb{E}_{y \sim p(y|x)}
# \Big[ \Big( \frac{\partial \log p(y|x)}{\partial w_k} \Big)^2 \Big]$$
#
# $p(y|x)$ is what the network answers, $w_k$ its $k$-th weight, $\mathbb{E}$ a mean. By hand: one weight,
# $p(y{=}1|x) = \sigma(wx)$ with $w = 0$ and $x = 2$. Both labels have probability $1/2$.

# %%
w, x_one = torch.tensor(0.0, requires_grad=True), 2.0
fisher = 0.0
for p in (torch.sigmoid(w * x_one), 1 - torch.sigmoid(w * x_one)):  # y = 1, then y = 0
    (slope,) = torch.autograd.grad(p.log(), w, retain_graph=True)
    fisher += float(p.detach() * slope**2)
print("F =", fisher)

# %% [markdown]
# Two tasks, one probe network, two Fisher vectors $F_a$ and $F_b$. **Task2Vec** (Achille 2019) first asks, entry by
# entry, whose share it is, and takes the cosine distance of the shares:
#
# $$d(F_a, F_b) = 1 - \cos\Big( \frac{F_a}{F_a + F_b}, \frac{F_b}{F_a + F_b} \Big)$$
#
# **Predict.** How far is $F$ from $10 F$?

# %%
from taskembed_edu import cosine_distance, task2vec_distance

a, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 3.0, 4.0])
by_hand = cosine_distance(a / (a + b), b / (a + b))
torch.testing.assert_close(by_hand, task2vec_distance(a, b))
print(f"d([1, 2, 3], [2, 3, 4]) = {by_hand:.7f},  d(F, 10 F) = {abs(float(task2vec_distance(a, 10 * a))):.1f}")

# %% [markdown]
# **Explain.** Zero: all shares are equal, and the cosine does not see how large they are. So it is no metric (lesson
# 01), and that is on purpose: how long a Fisher vector is says how difficult the task is, not which task it is
# (Achille 2019).
#
# **Predict.** Take each wave and its mirror image, $y$ and $-y$. They are as different as two waves of this size can
# be. How far apart are their Fisher vectors?

# %%
from taskembed_edu import FisherEmbedder, MetricEmbedder, SummaryEmbedder, pairwise_task2vec_distances


def prepared(embedder, steps, **chosen):
    settings = embedder.settings_class(**chosen)
    state = embedder.begin(train, tasks, settings, torch.Generator().manual_seed(0))
    for _step in range(steps):
        state, _record = embedder.step(state, settings)
    return state


prober = FisherEmbedder()
state = prepared(prober, 200)
fishers = prober.embed(state)
mirrored = prober.embed(state, tasks.with_support(tasks.support_x, -tasks.support_y))
print("the mirror images' vectors are the same:", torch.allclose(fishers, mirrored, rtol=1e-2))

# %% [markdown]
# **Explain.** The same. A square forgets its sign. The Fisher information says *where* a network is needed, not *what
# for*.
#
# ## The same tasks, four maps
#
# The metric-based embedder of lesson 04 never trains on these 60 waves: it learnt to read a set from other waves, and
# embeds in one forward pass. Beside it a map that nobody learned: the *summary*, a few statistics of the 16 points.
#
# **Predict.** Two scores, as in lesson 04. Geometry: Spearman. Retrieval (检索): a wave seen through 16 *other* points
# looks for itself among the 60, recall@1. Which embedder wins which?

# %%
from taskembed_edu import recall_at_k

again = unseen.redraw(tasks, torch.Generator().manual_seed(1))  # the same waves through other points
second = train_tasks(learner, again, 500, start=shared, optimiser="sgd", learning_rate=0.01)
maps = {"weights": (vectors["shared"], weight_vectors(learner, second.parameters))}
for name, embedder, steps in (("metric-based", MetricEmbedder(), 300), ("summary", SummaryEmbedder(), 0)):
    ready = prepared(embedder, steps)
    maps[name] = (embedder.embed(ready), embedder.embed(ready, again))
maps["Fisher"] = (fishers, prober.embed(state, again))

# %%
agreement = {name: geometry.spearman(first) for name, (first, _second) in maps.items()}
agreement["Fisher"] = geometry.rank_correlation(pairwise_task2vec_distances(fishers))
for name, (first, other) in maps.items():
    recall = recall_at_k(other, first, ks=(1,), metric="cosine" if name == "Fisher" else "euclidean")[1]
    size = f"{first.shape[1]:5} numbers a task"
    print(f"{name:12}{size}, Spearman {band(agreement[name], 0.55, 0.8):11} recall@1 {band(recall, 0.24, 0.55)}")

# %%
_figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained", dpi=60)
for ax, (name, (first, _second)) in zip(axes, maps.items(), strict=True):
    ax.scatter(*pca_layout(first).T, c=tasks.truth[:, 1], s=8 + 10 * tasks.truth[:, 0], cmap="cividis")
    ax.set(title=f"{name}: {agreement[name]:.2f}", xticks=[], yticks=[])
    ax.set_aspect("equal", adjustable="datalim")
plt.show()

# %% [markdown]
# **Explain.** The weights keep the geometry best, or as well as the metric-based embedder, which was not asked for
# geometry. But they find a wave again in one case of three: where the 16 points leave a gap, the network draws
# something, and the weights remember it. The metric-based embedder was trained to ignore which points it sees. Fisher
# cannot tell a wave from its mirror image, and scores below a few statistics that nobody learnt. Keep such a summary
# beside every method: one that does not beat it has learnt little.
#
# ## The document's three challenges
#
# The document ends with three challenges: the representation of tasks (任务表示), generalisation (模型泛化能力), the
# cost of computing (计算效率). How does this method fare?
#
# **Predict.** The 60 networks know their 16 points. How much higher is their loss on points that they never saw?

# %%
with torch.no_grad():
    unseen_loss = learner.losses(runs["shared"].parameters, tasks.query_x, tasks.query_y).mean()
print("loss on other points, as a multiple:", band(float(unseen_loss / runs["shared"].losses.mean()), 1.5))
print(f"gradient steps for a new task: weights 500, metric-based 0; numbers to keep: {learner.n_parameters} and 8")

# %% [markdown]
# - **Cost** (计算效率). Weights: a whole training for each new task, and 1,153 numbers to keep. Metric-based: one
#   training for all; a new task is one forward pass and 8 numbers.
# - **Representation** (任务表示). Weights: one function has many forms, so one start, one kind of network and one
#   optimiser for all. Metric-based: the encoder must be able to see what tells tasks apart.
# - **Generalisation** (模型泛化能力). Weights: each network knows its own points only; but its vector *is* a model, and
#   answers. Metric-based: an encoder that has seen many tasks guesses what is missing; its vector answers nothing.
#
# ## Three things to try
#
# In the lab above. *Reset* brings the beginning back. Each time: predict first.
#
# 1. Set *Start* to *One each*, *Reset*, then *Weights as* to *As they are*, *Play*. *Look for*: the trails begin at 42
#    places, the loss falls as before, the purity stays far below that of one start for all.
# 2. Back to *One for all* and *From the start*, *Reset*: play to step 60, pause. *Layer*: compare *Number*, *Input*,
#    *Recurrent* and *Output*. *Look for*: the same networks, other maps. Which layer has the highest purity, which the
#    lowest?
# 3. *Task vector* to *Outputs*, at step 60, with one start for all and with one each. *Look for*: what the networks
#    answer depends less on the start. Outputs beat the weights with one of the starts, and lose with the other. Which?

# %% [markdown]
# ## Exercises
#
# **1.** A perceptron has one input, one hidden layer of 16 units, one output. How many numbers is its task vector?

# %%
# solution
my_numbers = MLP(1, 1, hidden=(16,)).n_parameters
# stub
# my_numbers = None  # put your number in place of None, and run the cell again
# end
check("06.numbers", my_numbers)

# %% [markdown]
# **2.** A hidden layer has 4 units of tanh. In how many forms can one function be written, by orders and signs?

# %%
# solution
my_forms = math.factorial(4) * 2**4
# stub
# my_forms = None  # put your number in place of None, and run the cell again
# end
check("06.forms", my_forms)

# %% [markdown]
# **3.** `permute_units` puts old unit `order[k]` in place `k`. Write the order that undoes it.


# %%
def my_undo(order):
    # solution
    return [order.index(k) for k in range(len(order))]
    # stub
    # return None  # put your lines in place of this one, and run the cell again
    # end


check("06.undo", my_undo)

# %% [markdown]
# **4.** Write the purity: `distances` is a square list of lists, `groups` one group a task. Leave out tasks without a
# mate.


# %%
def my_purity(distances, groups):
    # solution
    found = []
    for i in range(len(groups)):
        if groups.count(groups[i]) > 1:
            nearest = min((j for j in range(len(groups)) if j != i), key=lambda j: distances[i][j])
            found.append(groups[nearest] == groups[i])
    return sum(found) / len(found)
    # stub
    # return None  # put your lines in place of this one, and run the cell again
    # end


check("06.purity", my_purity)

# %% [markdown]
# **5.** A friend reports: "200 waves, one network each, trained on 20 computers. All losses are below 0.01, and
# Spearman is 0.4." What happened: `"not trained"`, `"own starts"`, `"collapse"` or `"overfitting"`?

# %%
# solution
my_answer = "own starts"
# stub
# my_answer = None  # put one of the four in place of None, and run the cell again
# end
display(check("06.report", my_answer), tally("06"))

# %% [markdown]
# ## What to remember
#
# - Train a model a task, take its parameters (模型参数) as the vector: it works with **one shared start** (共享初始化).
# - Hidden units can change places (置换对称性): one function has many weights. Matching repairs much of it, not all.
# - SGD keeps the geometry; Adam learns sooner and blurs it.
# - Compare ways, $w - w_0$, by the cosine where the direction says more than the length. Choose the layer.
# - Give chance beside every score, and more than one seed.
# - A distribution of parameters (参数分布) gives networks that work; a conditional generator (条件生成器) gives the one
#   that is asked for. The mean of good networks may be a poor one.
# - Fisher information (费舍尔信息) says where a network is needed, not what for.
# - Weights: geometry without being asked, costly for each new task. Metric-based: costly once, then cheap, and better
#   at finding a task again.
#
# ## Sources
#
# - A. Achille and others, *Task2Vec: Task Embedding for Meta-Learning*, 2019: Fisher vectors and their distance.
# - S. K. Ainsworth, J. Hayase and S. Srinivasa, *Git Re-Basin: Merging Models modulo Permutation Symmetries*, 2023.
# - R. Hecht-Nielsen, *On the Algebraic Structure of Feedforward Network Weight Spaces*, 1990: orders and signs.
# - C. Finn, P. Abbeel and S. Levine, *Model-Agnostic Meta-Learning*, 2017: the waves, and a start that is learnt.
# - D. Ha, A. Dai and Q. V. Le, *HyperNetworks*, 2017: a network that makes another's weights.
# - M. E. Tipping and C. M. Bishop, *Probabilistic Principal Component Analysis*, 1999.
# - K. Cho and others, *Learning Phrase Representations using RNN Encoder-Decoder*, 2014: the gated recurrent unit.
# - H. Hammarström, R. Forkel, M. Haspelmath and S. Bank, *Glottolog*, glottolog.org: the branches of languages.
# - The spellings are those of num2words; their plain letters come from anyascii.
