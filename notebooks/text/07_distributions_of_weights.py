# %% [markdown]
# # Distributions of weights: networks that nobody trained
#
# In lesson 06 each task had a network, and its weights were the task's vector. The document asks for one thing more:
# learn the **distribution** of the parameters (参数分布). Who knows the distribution can draw a new network from it.
# Will that network work? In this lesson you draw networks, begin from networks, and ask for networks.
#
# ## What you will be able to do
#
# - fit a Gaussian (高斯分布) and a mixture (混合分布) to weights, and draw from them a network that works
# - say why the mean of good networks may be a poor network
# - use a task embedding for what it is good for: a new task begins from its neighbour's network
# - say when more inner steps hurt
# - ask a conditional generator (条件生成器) for the network of a task that it has never seen
# - compare four task embeddings, and the document's three challenges, on the same tasks
#
# **Time:** 85 minutes; the core path alone 45.
#
# ## What you need first
#
# Lessons [04](04_metric_based_embedding.ipynb) and [06](06_parameter_based_embedding.ipynb).

# %% [markdown]
# ## Draw a network
#
# 200 training waves, 20 points each, one network each. Their 1,153 weights differ in few directions. There we fit a
# Gaussian in 4 directions, and one small variance (方差) in all the others. This is probabilistic PCA (Tipping and
# Bishop 1999). Then we draw 100 new networks from it.
#
# Does such a network compute a wave? For each one we look, among 100 waves, for the wave that fits best. We then say
# which share of that wave is left unexplained: 0 is perfect, 1 is no better than a flat line.
#
# We do it three times: all networks had one start; each had its own start; or half of them had one start, and half
# another.

# %%
import math

import matplotlib.pyplot as plt
import torch

from taskembed_edu import MLP, Sinusoids, best_fit, fit_gaussian, fit_mixture, novelty, start_networks, train_tasks
from taskembed_edu.course import check, outcome, over_seeds, predict, tally


def waves(seed):
    rng = torch.Generator().manual_seed(seed)
    train, _validation, unseen = Sinusoids().split(rng)
    return train, train.sample(200, n_shot=20, rng=rng), unseen.sample(200, n_shot=5, n_query=50, rng=rng)


def perceptron():
    return MLP(n_in=1, n_out=1, hidden=(32, 32), activation="tanh")


def networks_from(n_starts, seed):
    first = start_networks(perceptron(), n_starts, torch.Generator().manual_seed(seed), shared=False)
    start = {name: value.repeat_interleave(200 // n_starts, dim=0) for name, value in first.items()}
    how = {"start": start, "optimiser": "sgd", "learning_rate": 0.02}
    return train_tasks(perceptron(), waves(seed)[1], 600, **how).parameters


predict(
    "07.draws", "Draw from each Gaussian. Whose draws compute a wave?", ["one start", "own starts", "both", "neither"]
)


# %%
def unexplained(networks):
    pool = Sinusoids().sample(100, n_shot=32, rng=torch.Generator().manual_seed(0))
    return float(best_fit(perceptron(), networks, pool)[0].median())


def draw_all(seed):
    net, rng = perceptron(), torch.Generator().manual_seed(seed)
    trained = {name: networks_from(n, seed) for name, n in (("one start", 1), ("own starts", 200), ("two starts", 2))}
    laws = {f"{name}, one Gaussian": fit_gaussian(net, networks, components=4) for name, networks in trained.items()}
    laws["two starts, mixture of 2"] = fit_mixture(net, trained["two starts"], 2, components=4, rng=rng)
    laws["one start, mixture of 3"] = fit_mixture(net, trained["one start"], 3, components=4, rng=rng)
    drawn = {name: law.sample(100, rng, residual=True) for name, law in laws.items()}
    drawn |= {"(trained)": trained["one start"], "(not trained)": start_networks(net, 100, rng, shared=False)}
    found = {name: unexplained(networks) for name, networks in drawn.items()}
    found["novelty"] = float(novelty(drawn["one start, one Gaussian"], trained["one start"]).median())
    return found, laws, trained


def draws(seed):
    return draw_all(seed)[0]


(mine, laws, trained), x = draw_all(0), torch.linspace(-5, 5, 101)[:, None]
_figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharex=True, sharey=True, layout="constrained")
for ax, name in zip(axes, list(laws)[:3], strict=True):
    three = laws[name].sample(3, torch.Generator().manual_seed(1), residual=True)
    ax.plot(x, perceptron().apply(three, x.expand(3, -1, -1)).squeeze(-1).T, color="#0072b2")
    ax.set_title(f"{name}\nunexplained {mine[name]:.2f}", fontsize=13)
    ax.set_xlabel("x", fontsize=13)
axes[0].set_ylabel("three draws", fontsize=13)
plt.show()
rows = [("(trained)", 0.03, 0.16), ("one start, one Gaussian", 0.12, 0.4), ("one start, mixture of 3", 0.05, 0.25)]
rows += [("own starts, one Gaussian", 0.9, 1.3), ("(not trained)", 0.9, 1.3), ("two starts, one Gaussian", 0.4, 0.95)]
rows += [("two starts, mixture of 2", 0.1, 0.4), ("novelty", 1.3, 3)]
works = {name: mine[f"{name}, one Gaussian"] < 0.5 for name in ("one start", "own starts")}
display(over_seeds("07.draws", draws, mine, *rows), outcome("07.draws", works))

# %% [markdown]
# **Explain.** With one start, a drawn network leaves about a fifth of a wave unexplained. **Nobody trained it, and it
# works.** It is no copy: a copy has novelty 0, a trained network among the others has 1. A trained network is still
# better.
#
# With own starts there is a Gaussian as well. But its draws are as bad as networks that were not trained: what lies
# between two equal forms of a network (lesson 06) is not a third form. With two starts the same happens between two
# clouds. There a **mixture** of two Gaussians helps: it first draws one of the clouds, and then a network in it. Even
# with one start, a mixture of three is better than one Gaussian: the cloud has another shape than one Gaussian has.
#
# ## A new task: where to begin?
#
# A new wave comes, and we have 5 points of it. We also have 200 trained networks, all from one start. From which
# weights should its network begin?
#
# - the **mean** of the 200 networks;
# - the network of its **neighbour**: the metric-based embedder of lesson 04 embeds the 5 points, and we take the known
#   task whose vector is nearest;
# - the network with the **smallest loss** on the 5 points: no embedding, but all 200 networks are tried;
# - **random** weights.

# %%
from taskembed_edu import MetricEmbedder


def prepared(embedder, n_steps, train, tasks, seed, **chosen):
    settings = embedder.settings_class(**chosen)
    state = embedder.begin(train, tasks, settings, torch.Generator().manual_seed(seed))
    for _step in range(n_steps):
        state, _record = embedder.step(state, settings)
    return state


def starts_for_new(seed, networks):
    (train, known, new), rng, embedder = waves(seed), torch.Generator().manual_seed(seed), MetricEmbedder()
    state = prepared(embedder, 300, train, known, seed, n_shot=5, batch=128)
    vectors, place = (embedder.embed(state, known), embedder.embed(state, new)), Sinusoids().coordinates
    answers = perceptron().apply(networks, new.support_x.flatten(0, 1).expand(200, -1, -1)).unflatten(1, (200, 5))
    chosen = {
        "neighbour": torch.cdist(vectors[1], vectors[0]).argmin(dim=1),
        "smallest loss": (answers - new.support_y).square().mean(dim=(2, 3)).argmin(dim=0),
        "true neighbour": torch.cdist(place(new.truth), place(known.truth)).argmin(dim=1),
        "any of the 200": torch.randint(200, (200,), generator=rng),
    }
    starts = {name: {part: value[which] for part, value in networks.items()} for name, which in chosen.items()}
    starts["mean"] = {part: value.mean(dim=0, keepdim=True).expand_as(value) for part, value in networks.items()}
    starts["random"] = start_networks(perceptron(), 200, rng, shared=False)
    return starts, known, new, vectors


predict("07.start", "Whose answers are best before the first step?", ["mean", "neighbour", "random"])


# %%
def query_loss(networks, tasks):
    return float(perceptron().losses(networks, tasks.query_x, tasks.query_y).mean())


def begun(seed):
    starts, _known, new, _vectors = starts_for_new(seed, networks_from(1, seed))
    return {name: query_loss(networks, new) for name, networks in starts.items()}


starts, known, new, vectors = starts_for_new(0, trained["one start"])
mine = {name: query_loss(networks, new) for name, networks in starts.items()}
rows = [("true neighbour", 0.15, 0.55), ("neighbour", 0.2, 0.65), ("smallest loss", 0.2, 0.65)]
rows += [("any of the 200", 4, 8.5), ("mean", 2.5, 5), ("random", 3, 6.5)]
best = min(("mean", "neighbour", "random"), key=mine.get)
display(over_seeds("07.begun", begun, mine, *rows), outcome("07.start", best))

# %% [markdown]
# **Explain.** The neighbour's network, untouched, is more than five times better than the mean or random weights. This
# is the document's promise: an embedding that helps a model to adapt fast to a new task. It cost one forward pass. The
# smallest loss on the 5 points is about as good, but all 200 networks must be tried for it. The *true* neighbour, which
# nobody knows in real life, is a little better than both. And any trained network, without asking which, is the worst
# start of all: it answers another wave.
#
# The mean is poor too. **The mean of good networks may be a poor network:** one network cannot be near all waves.
#
# ## And then: more steps?
#
# Now train from there on the 5 points, by SGD with a rate of 0.01. The inner loop does its work: the loss on these
# points falls. What of the query loss, on 50 other points?


# %%
def along(starts, tasks):
    found = {}
    for name in ("neighbour", "random"):
        networks, before = starts[name], 0
        for after in (0, 1, 5, 20, 100, 500, 2000):
            more = {"start": networks, "optimiser": "sgd", "learning_rate": 0.01}
            networks = train_tasks(perceptron(), tasks, after - before, **more).parameters
            before, support = after, perceptron().losses(networks, tasks.support_x, tasks.support_y)
            found[f"{name}, after {after}: support loss"] = float(support.mean())
            found[f"{name}, after {after}: query loss"] = query_loss(networks, tasks)
    return found


def inner_steps(seed):
    starts, _known, new, _vectors = starts_for_new(seed, networks_from(1, seed))
    return along(starts, new)


answers = ["smaller than before", "about the same", "larger than before"]
predict("07.steps", "From the neighbour's network: after 2,000 steps the query loss is", answers)

# %%
mine, marks = along(starts, new), (0, 1, 5, 20, 100, 500, 2000)
_figure, ax = plt.subplots(figsize=(10, 3), layout="constrained")
for name, colour in (("neighbour", "#0072b2"), ("random", "#d55e00")):
    for which, line in (("query", "-o"), ("support", ":o")):
        values = [mine[f"{name}, after {n}: {which} loss"] for n in marks]
        ax.plot(range(len(marks)), values, line, color=colour, label=f"from {name}: {which} loss")
ax.set_xticks(range(len(marks)), [f"{n:,}" for n in marks], fontsize=13)
ax.set_yscale("log")
ax.set_xlabel("gradient steps on 5 points", fontsize=13)
ax.set_ylabel("loss", fontsize=13)
ax.legend(fontsize=13, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
rows = [("neighbour, after 0: query loss", 0.25, 0.65), ("neighbour, after 20: query loss", 0.3, 0.6)]
rows += [("neighbour, after 2000: query loss", 0.5, 0.9), ("neighbour, after 2000: support loss", 0, 0.03)]
rows += [("random, after 0: query loss", 3, 6.5), ("random, after 2000: query loss", 2, 4.5)]
grew = mine["neighbour, after 2000: query loss"] / mine["neighbour, after 0: query loss"]
happened = answers[0] if grew < 0.85 else answers[1] if grew < 1.15 else answers[2]
display(over_seeds("07.steps", inner_steps, mine, *rows), outcome("07.steps", happened))

# %% [markdown]
# **Explain.** "More inner steps help" is false here. The support loss falls all the time, nearly to 0. The query loss
# may fall a little in the first steps, and then it *grows*: at the end it is larger than before the first step, by
# about a third or more. The network learns its 5 points by heart, and loses what it knew of waves in the gaps. This is
# overfitting (过拟合). From random weights more steps do help in the end. But 2,000 of them do not reach what the
# neighbour's network answers at step 0.
#
# Meta-learning such as MAML (Finn 2017) *learns* a start from which few steps are enough. That is another start than
# the mean of the ends.
#
# ## Ask for a network
#
# A **conditional generator** (条件生成器) goes one step further: the vector of a task goes in, and a network comes out.
# It is a small perceptron from the vector to the network's place in the main directions of the weights (HyperNetworks,
# Ha 2017). It learns from the 200 known waves and their networks. Then it is asked for 200 waves that it has never
# seen, in two ways: by their amplitude and phase; or by the embedding of 5 points.


# %%
from taskembed_edu import fit_generator


def ask(networks, own, known, new, vectors, seed):
    found, made, rng = {}, {}, torch.Generator().manual_seed(seed)
    truth = (known.truth, new.truth)
    ways = [("amplitude, phase", networks, *truth), ("embedding of 5 points", networks, *vectors)]
    for name, examples, learns, asks in [*ways, ("amplitude, phase, own starts", own, *truth)]:
        made[name] = fit_generator(perceptron(), examples, learns, rng=rng)
        for whose, turn in (("its wave", 0), ("another wave", 1)):
            x, y = new.query_x.roll(turn, 0), new.query_y.roll(turn, 0)
            shares = perceptron().losses(made[name].generate(asks), x, y) / y.square().mean(dim=(1, 2))
            found[f"by {name}: unexplained of {whose}"] = float(shares.median())
    return found, made


def generated(seed):
    networks, own = networks_from(1, seed), networks_from(200, seed)
    return ask(networks, own, *starts_for_new(seed, networks)[1:], seed)[0]


mine, made = ask(trained["one start"], trained["own starts"], known, new, vectors, 0)
_figure, axes = plt.subplots(1, 2, figsize=(11, 2.8), sharex=True, sharey=True, layout="constrained")
for ax, phase in zip(axes, (math.pi / 2, 3.0), strict=True):
    network = made["amplitude, phase"].generate(torch.tensor([(3.0, phase)]))
    ax.plot(x, perceptron().apply(network, x[None])[0], color="#0072b2", label="generated")
    ax.plot(x, 3 * torch.sin(x - phase), color="#b0b0b0", label="asked for")
    ax.set_title(f"amplitude 3, phase {phase:.2f}", fontsize=13)
    ax.set_xlabel("x", fontsize=13)
axes[0].set_ylabel("answer", fontsize=13)
axes[0].legend(fontsize=13, loc="lower right")
plt.show()
ends = [(0.04, 0.2), (0.8, 1.8), (0.04, 0.2), (0.8, 1.8), (0.9, 1.1), (0.9, 1.1)]
over_seeds("07.generated", generated, mine, *[(label, *end) for label, end in zip(mine, ends, strict=True)])

# %% [markdown]
# **Explain.** For half of the waves, at most about a tenth is left unexplained, and no gradient step was made. This is
# the document's last clause at its strongest: **five points go in, and a network that knows the wave comes out.** The
# second way uses both methods of this course: the metric-based embedder makes the vector, and the parameters are what
# is asked for. It is as good as being told amplitude and phase.
#
# Again it needs one start. From networks with own starts the generator learns to give a flat line (the last two rows):
# such weights do not follow from the task. In the figure, look at the ends of the left curve: there the answer misses
# what was asked for.
#
# ## The same tasks, four maps
#
# 60 unseen waves, 16 points each, and four ways to embed them:
#
# - **weights**: lesson 06, one shared start, 500 steps of SGD for each wave;
# - **metric-based**: lesson 04; it learnt to read a set from *other* waves, and embeds these in one forward pass;
# - **Fisher**: how much each part of one shared network matters to the task (the section "Further" below tells how);
# - **summary**: a few statistics of the 16 points; nobody learnt it.
#
# The figure says how many numbers a task takes. Two scores, as in lesson 04. Geometry (几何): Spearman. Retrieval
# (检索): a wave seen through 16 *other* points looks for itself among the 60, recall@1.

# %%
from taskembed_edu import (
    FisherEmbedder,
    SummaryEmbedder,
    TrueGeometry,
    pairwise_task2vec_distances,
    pca_layout,
    recall_at_k,
    weight_vectors,
)


def waves_to_map(seed):
    rng = torch.Generator().manual_seed(seed)
    train, _validation, unseen = Sinusoids().split(rng)
    tasks = unseen.sample(60, rng=rng)
    return train, unseen, tasks, unseen.redraw(tasks, rng), rng  # the same waves through other points


def four_maps(seed):
    train, unseen, tasks, again, rng = waves_to_map(seed)
    how = {"start": start_networks(perceptron(), 60, rng), "optimiser": "sgd", "learning_rate": 0.01}
    run, rerun = (train_tasks(perceptron(), batch, 500, **how) for batch in (tasks, again))
    maps = {"weights": [weight_vectors(perceptron(), each.parameters) for each in (run, rerun)]}
    kinds = {
        "metric-based": (MetricEmbedder(), 300),
        "Fisher": (FisherEmbedder(), 200),
        "summary": (SummaryEmbedder(), 0),
    }
    for name, (embedder, n_steps) in kinds.items():
        state = prepared(embedder, n_steps, train, tasks, seed)
        maps[name] = [embedder.embed(state, batch) for batch in (tasks, again)]
    geometry, found = TrueGeometry(unseen.true_distance(tasks)), {}
    for name, (first, second) in maps.items():
        is_fisher = name == "Fisher"
        apart = pairwise_task2vec_distances(first) if is_fisher else torch.cdist(first, first)
        found[f"{name}: Spearman"] = geometry.rank_correlation(apart)
        metric = "cosine" if is_fisher else "euclidean"
        found[f"{name}: recall@1"] = recall_at_k(second, first, ks=(1,), metric=metric)[1]
    found["weights: query loss over support loss"] = query_loss(run.parameters, tasks) / float(run.losses.mean())
    return found, maps, tasks


predict("07.maps", "Which finds a wave again best?", ["weights", "metric-based", "Fisher", "summary"])


# %%
def compared(seed):
    return four_maps(seed)[0]


mine, maps, tasks = four_maps(0)
figure, axes = plt.subplots(1, 4, figsize=(11, 3.2), layout="constrained")
for ax, (name, (first, _second)) in zip(axes, maps.items(), strict=True):
    dots = ax.scatter(*pca_layout(first).T, c=tasks.truth[:, 1], s=40, cmap="cividis", marker="s")
    ax.set_title(f"{name}: {first.shape[1]:,}\nSpearman {mine[f'{name}: Spearman']:.2f}", fontsize=13)
    ax.set(xticks=[], yticks=[], xlabel="PCA 1", ylabel="PCA 2")
figure.colorbar(dots, ax=axes).set_label("phase", fontsize=13)
plt.show()
rows = [("weights: Spearman", 0.88, 0.97), ("metric-based: Spearman", 0.75, 0.95), ("Fisher: Spearman", 0.3, 0.6)]
rows += [("summary: Spearman", 0.55, 0.8), ("weights: recall@1", 0.2, 0.5), ("metric-based: recall@1", 0.75, 1)]
rows += [("Fisher: recall@1", 0.02, 0.25), ("summary: recall@1", 0.05, 0.3)]
rows += [("weights: query loss over support loss", 1.5, 3)]
best = max(maps, key=lambda name: mine[f"{name}: recall@1"])
display(over_seeds("07.compared", compared, mine, *rows), outcome("07.maps", best))

# %% [markdown]
# **Explain.** The weights keep the geometry as well as the metric-based embedder, and nobody asked either of them to.
# But the weights find a wave again in one case of three only. A network knows its 16 points better than the gaps
# between them (last row), so through other points it becomes another network. The metric-based embedder was trained to
# give one vector for two sets of points. Fisher is behind a few statistics that nobody learnt. Keep such a summary
# beside every method: one that does not beat it has learnt little.
#
# ## The document's three challenges
#
# The document ends with three challenges. How do the two methods meet them?
#
# - **Representation of tasks** (任务表示). Weights: one function has many forms, so all tasks need one start and one
#   kind of network. Metric-based: the encoder must be able to see what tells tasks apart.
# - **Generalisation** (模型泛化能力). Weights: each network knows its own points, and its query loss is about twice its
#   support loss. But the vector *is* a model, and answers. Metric-based: the encoder has seen many tasks. Its vector
#   alone answers nothing.
# - **Cost of computing** (计算效率). Weights: 500 gradient steps for each new task, and 1,153 numbers to keep.
#   Metric-based: one training for all. A new task is one forward pass and 8 numbers.

# %% [markdown]
# ## Further: Fisher information, by hand
#
# There is another way to compare tasks by the weights of *one* network: ask how much each weight matters to a task.
# That is the diagonal of the **Fisher information** (费舍尔信息):
#
# $$F_k = \mathbb{E}_x\, \mathbb{E}_{y \sim p(y|x)}
# \Big[ \Big( \frac{\partial \log p(y|x)}{\partial w_k} \Big)^2 \Big]$$
#
# $p(y|x)$ is what the network answers, $w_k$ its $k$-th weight, $\mathbb{E}$ a mean. **Task2Vec** (Achille 2019) takes
# two such vectors. It asks, entry by entry, whose share it is, and takes the cosine distance of the shares:
#
# $$d(F_a, F_b) = 1 - \cos\Big( \frac{F_a}{F_a + F_b}, \frac{F_b}{F_a + F_b} \Big)$$
#
# How can one shared network give two Fisher vectors? It is cut before its last layer. All tasks share the body. Each
# task has a **head** of its own: the last layer, fitted anew to its support set. (The body is trained on other waves,
# so that such heads answer well.) So the answers differ from task to task, and with them the gradients of the body's
# weights. For a regression (回归) the network gives one number $f(x)$. As $p(y|x)$ we take a Gaussian with mean $f(x)$
# and variance 1. Then $F_k$ is the mean of $(\partial f / \partial w_k)^2$. At last we average over the weights that
# lead into each unit: 64 numbers a task.
#
# Take a wave and its mirror image, $y$ and $-y$. They are as different as two waves of this size can be.

# %%
from taskembed_edu import cosine_distance, task2vec_distance

w, x_one, fisher = torch.tensor(0.0, requires_grad=True), 2.0, 0.0
for p in (torch.sigmoid(w * x_one), 1 - torch.sigmoid(w * x_one)):  # p(y=1|x) = sigmoid(w x); then y = 0
    (slope,) = torch.autograd.grad(p.log(), w, retain_graph=True)
    fisher += float(p.detach() * slope**2)
a, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 3.0, 4.0])
by_hand = cosine_distance(a / (a + b), b / (a + b))
torch.testing.assert_close(by_hand, task2vec_distance(a, b))
print(f"F of one weight = {fisher}, d([1, 2, 3], [2, 3, 4]) = {by_hand:.7f}")
print(f"d(F, 10 F) = {abs(float(task2vec_distance(a, 10 * a))):.1f}: all shares are equal")
predict("07.mirror", "How far apart are the Fisher vectors of y and -y?", ["0", "a little", "as far as any two waves"])


# %%
def mirrors(seed):
    train, unseen, tasks, _again, _rng = waves_to_map(seed)
    embedder, places = FisherEmbedder(), unseen.coordinates(tasks.truth)
    state = prepared(embedder, 200, train, tasks, seed)
    vectors, mirrored = (
        embedder.embed(state, tasks.with_support(tasks.support_x, k * tasks.support_y)) for k in (1, -1)
    )
    true = torch.cdist(places, places)
    blind = torch.minimum(true, torch.cdist(places, -places))  # y and -y are the same here
    apart = pairwise_task2vec_distances(vectors)
    found = {"largest change by the mirror": float((vectors - mirrored).abs().max() / vectors.max())}
    found["Spearman with the true distances"] = TrueGeometry(true).rank_correlation(apart)
    return found | {"Spearman with distances that do not see a mirror": TrueGeometry(blind).rank_correlation(apart)}


mine = mirrors(0)
ends = [(0, 0.01), (0.3, 0.6), (0.35, 0.65)]
seen = over_seeds("07.mirrors", mirrors, mine, *[(label, *end) for label, end in zip(mine, ends, strict=True)])
change = mine["largest change by the mirror"]
happened = "0" if change < 0.001 else "a little" if change < 0.1 else "as far as any two waves"
display(seen, outcome("07.mirror", happened))

# %% [markdown]
# **Explain.** They are the same. The mirror image needs the head with the other sign, and a square forgets a sign. So
# Fisher information says *where* a network is needed, not *what for*.
#
# Is that why the Fisher map is poor? Hardly. Judged by distances that do not see a mirror either, it scores only a
# little better. **Why it is poor on these waves is an open question.** Task2Vec was made for pictures and classes, with
# a large network that was trained before. Here is neither.
#
# ### The lab
#
# Here each wave has a network of its own, all from one start. The task's vector is the Fisher information of *its own*
# network's weights. *Play* stops at step 500.

# %% tags=["step-0"]
from taskembed_edu import ParameterLab

lab = ParameterLab("sinusoids", vector="fisher", n_tasks=100, seed=0)
lab

# %% [markdown]
# ## Three things to try
#
# In the lab. Each time: predict first.
#
# 1. *Distance* to *Cosine distance*, *Reset*, *Play* to step 500. Does Spearman rise all the time, as the loss falls?
# 2. *Task vector* to *Weights*, at step 500 and with the distance *Euclidean*.
# 3. *Task vector* to *Fisher information*, *Start* to *One each*, *Reset*, *Play*. Then compare with *Weights*.
#
# <details><summary>What is to be seen</summary>
#
# 1. No. Spearman rises to about 0.65 near step 100, and falls to about 0.45 while the loss goes on falling. The cause
#    is open.
# 2. About 0.93. The weights know far more of the wave than their Fisher information does.
# 3. Both are poor, about 0.35 and 0.32. Fisher information needs one start too: it stands at the units' places, and
#    with own starts the places are others in each network.
# </details>
#
# ## Exercises
#
# **1.** What is the Fisher information of the weight above, $p(y{=}1|x) = \sigma(w x)$ with $w = 0$, if $x = 3$?
#
# **2.** A network answers $v \tanh(w x)$ with $w = 2$ and $v = 3$. Another has $w = -2$ and $v = -3$: it is the same
# function. What does the network with the *mean* of their weights answer at $x = 1$?
#
# **3.** Write Task2Vec's distance of two lists of positive numbers.

# %%
# solution
my_fisher, my_mean = 9 * 0.5 * 0.5, 0.0


def my_distance(f_a, f_b):
    a = [one / (one + other) for one, other in zip(f_a, f_b, strict=True)]
    b = [other / (one + other) for one, other in zip(f_a, f_b, strict=True)]
    product = sum(one * other for one, other in zip(a, b, strict=True))
    return 1 - product / math.sqrt(sum(one**2 for one in a) * sum(other**2 for other in b))


# stub
# my_fisher = None  # put your number in place of None, and run the cell again
# my_mean = None  # and here
#
#
# def my_distance(f_a, f_b):
#     return None  # put your lines in place of this one
#
#
# end
display(check("07.fisher", my_fisher), check("07.mean", my_mean), check("07.task2vec", my_distance))

# %% [markdown]
# **4. An investigation.** Run the lab's cell again, and bring it to step 500 with *Task vector* at *Fisher
# information*. Spearman is near 0.55. Which weights know more of the wave? Bring Spearman to 0.65 or more, at step 500.

# %%
# solution
lab.session.set(layer="hidden_2")
lab.session.step(500)
# stub
# # Use the panel above, then run this cell.
# end
display(check("07.which_weights", lab), tally("07"))

# %% [markdown]
# ## What to remember
#
# - From a distribution of parameters (参数分布) one can draw networks that nobody trained and that work. It needs one
#   start, or one Gaussian for each start.
# - The mean of good networks may be a poor network.
# - A new task begins far better from its neighbour's network than from the mean, or from random weights. Finding the
#   neighbour is what an embedding is for.
# - From a good start, with few points, more inner steps may hurt: look at query points, not at the support loss.
# - A conditional generator (条件生成器) gives the network that is asked for, without a gradient step.
# - Fisher information (费舍尔信息) says where a network is needed, not what for.
# - Weights: geometry without being asked, and costly for each new task. Metric-based: costly once, then cheap, and
#   better at finding a task again.
#
# Next: [08, inner and outer loops](08_inner_and_outer_loops.ipynb).
#
# ## Sources
#
# - M. E. Tipping and C. M. Bishop, *Probabilistic Principal Component Analysis*, 1999.
# - D. Ha, A. Dai and Q. V. Le, *HyperNetworks*, 2017: a network that makes another's weights.
# - A. Achille and others, *Task2Vec: Task Embedding for Meta-Learning*, 2019: Fisher vectors and their distance.
# - C. Finn, P. Abbeel and S. Levine, *Model-Agnostic Meta-Learning*, 2017: the waves, and a start that is learnt.
