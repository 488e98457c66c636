# %% [markdown]
# # The parameter-based embedder: a network's weights as the task's vector
#
# Lesson [04](04_metric_based_embedding.ipynb) trained one network that reads all tasks. The course's second method
# (基于模型参数的方法) trains one small network **for each task**. What the network has learnt is in its weights, so the
# weights are the task's vector. The document says so in three steps, and each of them hides a trap. You will fall into
# one of them on purpose.
#
# ## What you will be able to do
#
# - train a model a task, and take its parameters (模型参数) as the task's embedding (任务嵌入)
# - say why this needs one **shared start** (共享初始化), and show by hand why: permutation symmetry (置换对称性)
# - find the branches of languages in the weights of networks that spell numbers, and give chance beside the score
# - fit a distribution of parameters (参数分布), and draw from it a network that nobody trained and that works
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


def band(value, *edges):
    low = max((edge for edge in edges if edge <= value), default=-math.inf)
    high = min((edge for edge in edges if edge > value), default=math.inf)
    return f"below {high:g}" if low == -math.inf else f"above {low:g}" if high == math.inf else f"{low:g} to {high:g}"


print("0.37 lies in the band", band(0.37, 0, 0.25, 0.5, 1))

# %% [markdown]
# ## The document's steps, by hand
#
# **Step 1, the task set** (任务集合): 60 sine waves of lesson 00, 16 points each. The true distance of two waves is known,
# so the vectors can be judged.
#
# **Step 2, train a model a task.** The document leaves the model open, recurrent (循环神经网络) or convolutional
# (卷积神经网络), and the loss as well: cross-entropy (交叉熵损失) or squared error (均方误差损失). A wave is a curve, so
# its model is a small perceptron (multi-layer perceptron, MLP) and its loss the squared error.
#
# **Step 3, the parameters are the vector.** All weights and biases, one below the other.
#
# **Predict.** The perceptron has one input, two hidden layers of 32 units, and one output. How long is a task's vector?

# %%
from taskembed_edu import MLP, Sinusoids
from taskembed_edu.embedders.batched import start_networks, train_tasks
from taskembed_edu.embedders.weights import weight_vectors

rng = torch.Generator().manual_seed(0)
train, _validation, unseen = Sinusoids().split(rng)
tasks = unseen.sample(60, rng=rng)
learner = MLP(n_in=1, n_out=1, hidden=(32, 32), activation="tanh")
shared = start_networks(learner, 60, rng)  # the same first weights, 60 times
print("numbers in a task's vector:", learner.n_parameters)

# %% [markdown]
# **Explain.** $1 \cdot 32 + 32$ for the first hidden layer, $32 \cdot 32 + 32$ for the second, $32 + 1$ for the output:
# 1,153. That is long for a wave with two parameters. The document speaks of *low-dimensional* vectors (低维向量); this
# one is not.
#
# Now two tasks by a plain loop of gradient descent (SGD): each weight $w$ moves by $-0.01$ times its gradient.

# %%
by_hand = []
for x, y in zip(tasks.support_x[:2], tasks.support_y[:2], strict=True):
    weights = [value[0].clone().requires_grad_() for value in shared.values()]
    for _step in range(100):
        loss = (learner.apply(dict(zip(shared, weights, strict=True)), x) - y).square().mean()
        gradients = torch.autograd.grad(loss, weights)
        weights = [(w - 0.01 * g).detach().requires_grad_() for w, g in zip(weights, gradients, strict=True)]
    by_hand.append(torch.cat([w.detach().flatten() for w in weights]))

start = {name: value[:2] for name, value in shared.items()}
trained = train_tasks(learner, tasks[:2], 100, start=start, optimiser="sgd", learning_rate=0.01)
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
# the weights with the true distance: above 0.85, around 0.75, or below 0.6?

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
    ax.set(title=f"{way}: Spearman {geometry.spearman(found):.2f}", xticks=[], yticks=[], aspect="equal")
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
one = small.init(torch.Generator().manual_seed(0))
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
# **Explain.** The same function, and other weights: $\sqrt{9 + 9 + 1 + 1 + 4 + 4} = \sqrt{28} = 5.2915$ apart. The sum does not care
# which unit comes first. Two units have $2!$ orders, and $2^2$ choices of signs for tanh. A layer of 32 has

# %%
print(f"32! = {math.factorial(32):.1e} orders, with signs {math.factorial(32) * 2**32:.1e}")

# %% [markdown]
# and each of them is the same function. Which one a network ends at is an accident of its start. With one shared start
# unit 7 of one network and unit 7 of another come from the same unit, and their weights may be compared.
#
# **Predict.** Can it be repaired afterwards? `match_all` finds, for each network, the order (and the signs) of its units
# that brings it nearest to the first network (Git Re-Basin, Ainsworth 2023). It is exactly the right cure for a mere
# reordering. Does the Spearman of the own starts rise to that of the shared start?

# %%
from taskembed_edu import function_distance, match_all

matched = match_all(learner, runs["own"].parameters, rng=rng)
after = geometry.spearman(weight_vectors(learner, matched.parameters))
print("distance to the first network falls to", band(float(matched.distance[1:].mean() / matched.before[1:].mean()), 0.4, 0.7))
print("own starts:          Spearman", band(geometry.spearman(vectors["own"]), 0.6))
print("own starts, matched: Spearman", band(after, 0.4, 0.8))
functions = geometry.agreement(function_distance(learner, runs["own"].parameters, x))
print("own starts, compared by their answers:", band(functions, 0.9))

# %% [markdown]
# **Explain.** Some of it comes back, but not all. Two networks that learnt one wave from two starts are *not* reorderings of each
# other: they share the work among their units differently. Compare the *answers* at the same inputs, and the start does
# not matter: a function has no symmetry. But answers need common inputs, and then the vector is no longer the
# parameters.

# %% [markdown]
# ## Digits with a convolutional network
#
# Now classes. A task is three handwritten digits, all turned by one angle, as in lesson 04. Its model is a small
# convolutional network, its loss the cross-entropy. All networks have one start.
#
# The difference from the start, $w - w_0$, says which way a network went. Compare these ways by the cosine distance, and it does not
# count how far each went.
#
# **Predict.** The network is told labels 0, 1, 2 and neither the digits' names nor the angle. Will its weights know the
# angle? And which layer knows most: the first filters, or the last layer, which is the one that decides?

# %%
from taskembed_edu import Digits, pairwise_distances, task_learner

digits = Digits().split(rng).unseen
pictures = digits.sample(60, rng=rng)
reader = task_learner(digits)
begin = start_networks(reader, 60, rng)
read = train_tasks(reader, pictures, 200, start=begin, optimiser="sgd", learning_rate=0.1)
with torch.no_grad():
    answers = reader.apply(read.parameters, pictures.query_x).argmax(dim=-1)
right = float((answers == pictures.query_y).double().mean())
print("right on pictures never trained on:", band(right, 0.5, 0.75, 0.999), "  by chance 0.333")

# %%
truth = TrueGeometry(digits.true_distance(pictures))
for layer in ("all", *reader.layers):
    ways = weight_vectors(reader, read.parameters, layer=layer, form="difference", start=begin)
    print(f"{layer:14}{ways.shape[1]:5} numbers, Spearman {band(truth.spearman(ways, 'cosine'), 0.1, 0.5)}")

# %% [markdown]
# **Explain.** DIGITS

# %% [markdown]
# ## Languages with a recurrent network
#
# A task is a language: spell the numbers. The network is a gated recurrent unit (门控循环单元, GRU): the number goes in, and
# out comes its word, letter by letter, with the cross-entropy of each letter. There are 42 languages. Nobody tells the networks which of
# them are related. 34 of them have a relative of their own branch (语支) in the table, such as Spanish and Portuguese; the other
# 8 have none and are not counted.
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
print("purity:", band(scores["purity"], 0.4, 0.8), "  Spearman with the tree of languages:", band(scores["spearman"], 0.2))
print("loss a letter: from", band(lab.session.history[1].loss, 0.3, 2), "to", band(lab.session.frame.loss, 0.3, 2))
lab.picture()

# %% [markdown]
# **Explain.** The branches. The loss is still far from zero, most words are not spelt right, and yet each network has already set off in
# the direction of its language. What is read is the *way*, not the arrival.
#
# One run is one draw. So five seeds, each with other words and another start, and two of them with own starts.
#
# **Predict.** How high is the purity with own starts?

# %%
from taskembed_edu import NumberWords
from taskembed_edu.evaluation import neighbour_purity, purity_by_chance


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
apart, languages = found[0]
nearest = apart.clone().fill_diagonal_(math.inf).argmin(dim=1)
_figure, ax = plt.subplots(figsize=(9, 2.6), layout="constrained", dpi=60)
ax.bar([f"shared {seed}" for seed in purities], list(purities.values()), color="#1f5a94")
ax.bar(["own 0", "own 1"], [neighbour_purity(apart, of.truth[:, 1]) for apart, of in lost], color="#b0681e")
ax.axhline(purity_by_chance(languages.truth[:, 1]), color="black", linestyle=":")
ax.set(ylabel="purity", ylim=(0, 1), title="dotted: chance")
plt.show()
nearest_name = {languages.names[i]: languages.names[j] for i, j in enumerate(nearest.tolist())}
close = ("Spanish", "Portuguese", "Ukrainian", "Lithuanian", "Finnish")
print("; ".join(f"{name}: {nearest_name[name]}" for name in close))

# %% [markdown]
# **Explain.** With a shared start the branches of the languages appear, though no network ever saw a second language.
# With own starts they collapse to about chance. Languages are related because they come from one language; these vectors are
# comparable because they come from one start. The table's branches are Glottolog's.
#
# The method finds that *spellings in Latin letters* are alike. That is not descent itself: Finnish and Hungarian
# are far relatives whose words hardly show it.

# %% [markdown]
# ## How parameters are distributed
#
# The document's last clause: learn the **distribution** of the parameters. 200 training waves, 50 points each, one
# start. Their 1,153 weights differ in few directions. There we fit a Gaussian (高斯分布) in 8 directions, and one small
# variance in all others: probabilistic PCA (Tipping and Bishop 1999).
#
# **Predict.** Draw 100 networks from it. Nobody trained them. Does such a network compute a sine wave? And if the 200
# networks had own starts?

# %%
from taskembed_edu.embedders.distributions import fit_gaussian
from taskembed_edu.embedders.generators import best_fit, compare_starts, novelty

many = train.sample(200, n_shot=50, rng=rng)
pool = Sinusoids().sample(300, n_shot=32, rng=rng)  # for each network: which of these waves does it compute, how well?


def trained_from(shared):
    start = start_networks(learner, 200, rng, shared=shared)
    return train_tasks(learner, many, 600, start=start, optimiser="sgd", learning_rate=0.01).parameters


networks = {"shared start": trained_from(True), "own starts": trained_from(False)}
laws = {name: fit_gaussian(learner, parameters, components=8) for name, parameters in networks.items()}
drawn = {name: law.sample(100, rng) for name, law in laws.items()}
drawn["not trained"] = start_networks(learner, 100, rng, shared=False)

# %%
fits = {name: best_fit(learner, parameters, pool)[0] for name, parameters in drawn.items()}
for name, losses in fits.items():
    print(f"{name:13} loss on the wave that fits best: median {band(float(losses.median()), 0.05, 0.4)}")
height = float(pool.query_y.square().mean())
print("the mean square of the waves themselves:", band(height, 2, 6))
away = float(novelty(drawn["shared start"], networks["shared start"]).median())
print("a copy has novelty 0; the median of the draws:", band(away, 0, 0.3, 3))

# %%
curves = {name: learner.apply({k: v[:5] for k, v in p.items()}, x.expand(5, -1, -1)) for name, p in drawn.items()}
_figure, axes = plt.subplots(1, 3, figsize=(9, 2.5), sharey=True, layout="constrained", dpi=60)
for ax, (name, y) in zip(axes, curves.items(), strict=True):
    ax.plot(x, y.squeeze(-1).T)
    ax.set(title=f"five draws: {name}", xlabel="x")
plt.show()

# %% [markdown]
# **Explain.** DISTRIBUTION
#
# A distribution is also a place to begin. A new task, 16 points, and a few steps of SGD:
#
# **Predict.** Which start is best after 20 steps: the mean of the distribution, the trained network that fits the 16 points best, or random weights?

# %%
fresh = unseen.sample(60, rng=rng)
steps = (0, 1, 5, 20)
starts = compare_starts(learner, networks["shared start"], many, fresh, steps=steps, rng=rng, distribution=laws["shared start"])
for name, losses in starts.items():
    print(f"{name:25} query loss", ", ".join(f"after {n}: {band(v, 0.5, 2)}" for n, v in zip(steps, losses, strict=True)))

# %% [markdown]
# **Explain.** STARTS

# %% [markdown]
# ## Fisher: which weights matter
#
# There is another way to make vectors of *one* network comparable: do not ask where its weights went, but how much each of them
# matters to a task. **Fisher information** (费舍尔信息), its diagonal:
#
# $$F_k = \mathbb{E}_x\, \mathbb{E}_{y \sim p(y|x)} \Big[ \Big( \frac{\partial \log p(y|x)}{\partial w_k} \Big)^2 \Big]$$
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
# Two tasks, one probe network, two Fisher vectors $F_a$ and $F_b$. **Task2Vec** (Achille 2019) first asks, entry by entry, whose share
# it is, and takes the cosine distance of the shares:
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
# **Explain.** Zero: all shares are equal, and the cosine does not see how large they are. So it is no metric (lesson 01), and that is
# on purpose: a longer Fisher vector means a task of which the network is less certain, not another task.
#
# **Predict.** Take each wave and its mirror image, $y$ and $-y$. They are as different as two waves of this size can be. How far apart
# are their Fisher vectors?

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
# The metric-based embedder of lesson 04 never trains on these 60 waves: it learnt to read a set from other waves, and embeds in
# one forward pass. Beside it a map that nobody learned: the *summary*, a few statistics of the 16 points.
#
# **Predict.** Put them in order of Spearman: weights from a shared start, metric-based, Fisher, summary.

# %%
maps = {"weights": vectors["shared"], "metric-based": MetricEmbedder().embed(prepared(MetricEmbedder(), 300))}
maps |= {"Fisher": fishers, "summary": SummaryEmbedder().embed(prepared(SummaryEmbedder(), 0))}
agreement = {name: geometry.spearman(found) for name, found in maps.items()}
agreement["Fisher"] = geometry.agreement(pairwise_task2vec_distances(fishers))
for name, value in agreement.items():
    print(f"{name:12} {maps[name].shape[1]:5} numbers a task, Spearman {band(value, 0.5, 0.86)}")

# %%
_figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained", dpi=60)
for ax, (name, found) in zip(axes, maps.items(), strict=True):
    ax.scatter(*pca_layout(found).T, c=tasks.truth[:, 1], s=8 + 10 * tasks.truth[:, 0], cmap="cividis")
    ax.set(title=f"{name}: {agreement[name]:.2f}", xticks=[], yticks=[], aspect="equal")
plt.show()

# %% [markdown]
# **Explain.** COMPARISON
