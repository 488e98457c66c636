# %% [markdown]
# # The parameter-based embedder: a network's weights as the task's vector
#
# Lesson [04](04_metric_based_embedding.ipynb) trained one network that reads all tasks. The document's second method
# (基于模型参数的方法) trains one small network **for each task**. What a network has learnt is in its weights. So the
# weights are the task's vector. The document leaves one condition out. You will find it by breaking it.
#
# ## What you will be able to do
#
# - train a model for each task, and take its parameters (模型参数) as the task's embedding (任务嵌入)
# - say why all networks need one **shared start** (共享初始化)
# - write one function with two different sets of weights: permutation symmetry (置换对称性)
# - say how much matching (匹配) repairs, and how much it does not
# - answer the question of lesson 00: why do the languages find their relatives?
#
# **Time:** 75 minutes; the core path alone 35.
#
# ## What you need first
#
# Lessons [00](00_start_here.ipynb), [01](01_distances.ipynb) and [04](04_metric_based_embedding.ipynb).

# %% [markdown]
# ## The document's three steps, by hand
#
# **Step 1, the task set** (任务集合): 60 sine waves, 16 points each. The true distance of two waves is known
# (lesson 00), so we can judge the vectors.
#
# **Step 2, train a model for each task.** The document leaves the model open: recurrent (循环神经网络) or
# convolutional (卷积神经网络). It also leaves the loss open: cross-entropy (交叉熵损失) or squared error
# (均方误差损失). A wave is a curve. So its model here is a small perceptron (多层感知机, MLP) with two hidden layers of
# 32 units, and its loss is the squared error.
#
# **Step 3, the parameters are the vector**: all weights and biases, one below the other.
#
# The cell trains the network of the first wave by a plain loop of gradient descent (梯度下降, SGD): each weight moves
# by $-0.01$ times its gradient. Then the package trains all 60 networks in one call. Does it do the same?

# %%
import matplotlib.pyplot as plt
import torch

from taskembed_edu import MLP, Sinusoids, TrueGeometry, pca_layout, start_networks, train_tasks, weight_vectors
from taskembed_edu.course import check, expected, outcome, over_seeds, predict, tally


def waves_and_starts(seed):
    rng = torch.Generator().manual_seed(seed)
    family = Sinusoids().split(rng).unseen
    tasks = family.sample(60, rng=rng)
    learner = MLP(n_in=1, n_out=1, hidden=(32, 32), activation="tanh")
    starts = {"shared": start_networks(learner, 60, rng), "own": start_networks(learner, 60, rng, shared=False)}
    return family, tasks, learner, starts


_family, tasks, learner, starts = waves_and_starts(0)
names, weights = list(starts["shared"]), [value[0].clone().requires_grad_() for value in starts["shared"].values()]
for _step in range(50):
    answers = learner.apply(dict(zip(names, weights, strict=True)), tasks.support_x[0])
    gradients = torch.autograd.grad((answers - tasks.support_y[0]).square().mean(), weights)
    weights = [(w - 0.01 * g).detach().requires_grad_() for w, g in zip(weights, gradients, strict=True)]
by_hand = torch.cat([w.detach().flatten() for w in weights])
trained = train_tasks(learner, tasks, 50, start=starts["shared"], optimiser="sgd", learning_rate=0.01)
torch.testing.assert_close(by_hand, weight_vectors(learner, trained.parameters)[0], rtol=1e-3, atol=1e-4)
print(f"the same {len(by_hand):,} numbers")

# %% [markdown]
# **Explain.** It does. The sum of all losses has, for each network, that network's own gradient. So no task hears of
# another. A task's vector has $1 \cdot 32 + 32$ numbers for the first hidden layer, $32 \cdot 32 + 32$ for the second
# and $32 + 1$ for the output: 1,153. The document speaks of *low-dimensional* vectors (低维向量). This one is not low.
#
# ## Shared start or own starts
#
# The document does not say where training begins. Two ways, 500 steps each:
#
# - *shared*: all 60 networks begin from the same random weights;
# - *own*: each network begins from random weights of its own.


# %%
def trained_from(seed):
    family, tasks, learner, starts = waves_and_starts(seed)
    runs = {
        name: train_tasks(learner, tasks, 500, start=s, optimiser="sgd", learning_rate=0.01)
        for name, s in starts.items()
    }
    return TrueGeometry(family.true_distance(tasks)), tasks, learner, runs


def judged(geometry, learner, runs):
    spearman = {name: geometry.spearman(weight_vectors(learner, run.parameters)) for name, run in runs.items()}
    losses = {f"{name}: loss": float(run.losses.mean()) for name, run in runs.items()}
    return losses | {f"{name}: Spearman": value for name, value in spearman.items()}


def by_start(seed):
    geometry, _tasks, learner, runs = trained_from(seed)
    return judged(geometry, learner, runs)


predict("06.start", "With which start do similar waves get similar weights?", ["shared", "own", "both", "neither"])

# %%
geometry, tasks, learner, runs = trained_from(0)
mine = judged(geometry, learner, runs)
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for ax, (name, run) in zip(axes, runs.items(), strict=True):
    place = pca_layout(weight_vectors(learner, run.parameters)).T
    dots = ax.scatter(*place, c=tasks.truth[:, 1], s=20 + 25 * tasks.truth[:, 0], cmap="cividis")
    ax.set_title(f"{name} start: Spearman {mine[f'{name}: Spearman']:.2f}", fontsize=14)
    ax.set_xlabel("first direction of the weights (PCA)", fontsize=13)
axes[0].set_ylabel("second direction", fontsize=13)
figure.colorbar(dots, ax=axes).set_label("phase; a large point: a large amplitude", fontsize=13)
plt.show()
rows = [
    ("shared: loss", 0.1, 0.3),
    ("own: loss", 0.1, 0.3),
    ("shared: Spearman", 0.88, 0.97),
    ("own: Spearman", 0.2, 0.5),
]
found = {name: mine[f"{name}: Spearman"] > 0.8 for name in ("shared", "own")}
display(over_seeds("06.by_start", by_start, mine, *rows), outcome("06.start", found))

# %% [markdown]
# **Explain.** With a shared start the phase runs from one side to the other, and the large waves lie outside. Nobody
# asked for that order. With own starts it is lost, though each network learnt its wave just as well. **"Take the
# parameters as the task's vector" is too simple: it needs a shared start.** From one start the networks go different
# ways, and the ways can be compared.
#
# ## Why: one function, many weights
#
# A network of two hidden units (隐藏单元): $f(x) = v_1 \tanh(w_1 x + b_1) + v_2 \tanh(w_2 x + b_2) + c$. Here $w$ and
# $b$ lead into a unit, and $v$ reads it. Let the two units change places.

# %%
from taskembed_edu import permute_units

small = MLP(n_in=1, n_out=1, hidden=(2,), activation="tanh")
one = {"hidden_1.weight": torch.tensor([[2.0, -1.0]]), "hidden_1.bias": torch.tensor([[0.0, 1.0]])}
one |= {"output.weight": torch.tensor([[1.0], [3.0]]), "output.bias": torch.tensor([[0.5]])}
predict("06.swap", "The two units change places. What changes?", ["the answers", "the weights", "both", "neither"])

# %%
swapped = {
    "hidden_1.weight": one["hidden_1.weight"][:, [1, 0]],  # what leads into the units
    "hidden_1.bias": one["hidden_1.bias"][:, [1, 0]],
    "output.weight": one["output.weight"][[1, 0]],  # what reads them
    "output.bias": one["output.bias"],
}
for name, value in permute_units(small, one, "hidden_1", torch.tensor([1, 0])).items():
    torch.testing.assert_close(value, swapped[name])
x = torch.linspace(-5, 5, 101)[:, None]
answers_apart = float((small.apply(one, x) - small.apply(swapped, x)).abs().max())
weights_apart = sum(float((one[name] - swapped[name]).square().sum()) for name in one) ** 0.5
print(f"answers apart: {round(answers_apart, 4)}, weights apart: {weights_apart:.4f}")
outcome("06.swap", {"the answers": answers_apart > 1e-4, "the weights": weights_apart > 1e-4})

# %% [markdown]
# **Explain.** The same function, and the weights are $\sqrt{9 + 9 + 1 + 1 + 4 + 4} = \sqrt{28} = 5.2915$ apart. The
# sum does not care which unit comes first. And $\tanh(-a) = -\tanh(a)$: change the sign of what leads into a unit
# and of what reads it, and again nothing happens to the function.
#
# Two units have $2! = 2$ orders and $2^2$ choices of signs. A layer of 32 units has $32! \cdot 2^{32}$, which is about
# $10^{45}$ forms, and each of them is the same function. In which form a network ends depends on its start. With one
# shared start, unit 7 of one network and unit 7 of another come from the same unit. Then their weights can be compared.
#
# ## Can it be repaired afterwards?
#
# `match_all` looks for each network's order of units that brings it near the first network (Git Re-Basin, Ainsworth
# 2023). It also turns signs, which is an addition of this package. It improves one layer after the other until nothing
# gets better. That is a *local* optimum (局部最优): there may be a better order which it does not find.

# %%
from taskembed_edu import function_distance, match_all


def matched(geometry, learner, run, seed):
    rng, no_signs = torch.Generator().manual_seed(seed), MLP(1, 1, hidden=(32, 32), activation="relu")  # relu: no signs
    by_order = match_all(no_signs, run.parameters, rng=rng).parameters
    by_both = match_all(learner, run.parameters, rng=rng).parameters
    inputs = torch.linspace(-5, 5, 101)[:, None]
    return {
        "own starts, matched by order": geometry.spearman(weight_vectors(learner, by_order)),
        "own starts, matched by order and sign": geometry.spearman(weight_vectors(learner, by_both)),
        "own starts, by their answers": geometry.rank_correlation(function_distance(learner, run.parameters, inputs)),
    }


def matching(seed):
    geometry, _tasks, learner, runs = trained_from(seed)
    return judged(geometry, learner, runs) | matched(geometry, learner, runs["own"], seed)


predict(
    "06.matching", "How much of the order comes back by matching?", ["nearly all", "more than a third", "hardly any"]
)

# %%
mine = mine | matched(geometry, learner, runs["own"], 0)
rows = [("own: Spearman", 0.2, 0.5), ("own starts, matched by order", 0.45, 0.7)]
rows += [("own starts, matched by order and sign", 0.55, 0.85), ("shared: Spearman", 0.88, 0.97)]
rows += [("own starts, by their answers", 0.9, 1.0)]
gap = mine["shared: Spearman"] - mine["own: Spearman"]
regained = (mine["own starts, matched by order and sign"] - mine["own: Spearman"]) / gap
more = "nearly all" if regained > 0.9 else "more than a third" if regained > 1 / 3 else "hardly any"
share = ("share of the gap that matching closes (your seed)", regained, 0.35, 0.85)
display(over_seeds("06.matching", matching, mine, *rows), expected(share), outcome("06.matching", more))

# %% [markdown]
# **Explain.** Much of the order comes back, and not all of it. Two causes are possible, and we have not told them
# apart: the search stops at a local optimum, or two networks that learnt one wave from two starts differ by more than
# the order of their units. So matching is no replacement for a shared start.
#
# The last row compares the *answers* at the same inputs. Then the start hardly matters: a function has no hidden units.
# But answers need inputs that all tasks share, and the vector is no longer the parameters.

# %% [markdown]
# ## Languages: the "why?" of lesson 00
#
# A task is a language: spell the numbers. The model is a gated recurrent unit (门控循环单元, GRU). The number goes in,
# and its word comes out letter by letter; the loss is the cross-entropy of each letter. There are 42 languages. 34 of
# them have a relative of their own branch (语支) in the table, such as Spanish and Portuguese.
#
# What we compare is the **way** of a network, $w - w_0$, where $w_0$ is its start. We compare ways by the cosine
# distance, so how far a network went does not count. The score is **purity** (纯度): of those 34 languages, the share
# whose nearest neighbour is of their branch. By chance it is 0.10.
#
# Press **Play**. The trails are the ways of the networks. At step 0 there is only one point: all networks are the same.

# %% tags=["step-0"]
from taskembed_edu import NumberWords, ParameterLab, neighbour_purity, pairwise_distances, task_learner

lab = ParameterLab("number_words", seed=0)
lab

# %% [markdown]
# Now the test that lesson 00 did not make: the same languages and the same training, and each network with a start of
# its own. (The first lines bring the panel above to step 60, if you would rather not wait.)

# %%
if lab.session.frame.step < 60:
    lab.session.step(60 - lab.session.frame.step)
loss = lab.session.history.at_step(60).loss


def ways_of_languages(seed, shared, optimiser="adam", rate=0.01):
    rng = torch.Generator().manual_seed(seed)
    spellings, speller = NumberWords().sample(42, n_shot=25, rng=rng), task_learner(NumberWords(), "gru", hidden=32)
    start = start_networks(speller, 42, rng, shared=shared)
    run = train_tasks(speller, spellings, 50, start=start, optimiser=optimiser, learning_rate=rate)
    ways = weight_vectors(speller, run.parameters, form="difference", start=start)
    purity = neighbour_purity(pairwise_distances(ways, metric="cosine"), spellings.truth[:, 1])
    return purity, float(run.losses.mean())


def languages(seed):
    (shared, loss), (own, loss_own) = ways_of_languages(seed, True), ways_of_languages(seed, False)
    losses = {"shared start: loss a letter": loss, "own starts: loss a letter": loss_own}
    return losses | {"shared start: purity": shared, "own starts: purity": own}


rows = [("shared start: loss a letter", 0.6, 1.0), ("own starts: loss a letter", 0.6, 1.0)]
rows += [("shared start: purity", 0.8, 1.0), ("own starts: purity", 0.05, 0.35)]
seen = over_seeds("06.languages", languages, languages(0), *rows)
display(lab.picture(), expected(("the lab after 60 steps: loss a letter", loss, 0.5, 1.1)), seen)

# %% [markdown]
# **Explain.** This is the answer to "why?". The networks begin at one point. Each gradient points to what its language
# asks for. Related languages spell numbers alike, so they ask for alike changes, and their networks leave in alike
# directions. Nobody has to compare them. The loss is still far from 0, and most words are not spelt right yet: what the
# map shows is the way, not the arrival. With own starts the networks spell as well, and purity falls to about twice
# chance.
#
# The similarity is one of *spelling in Latin letters*. An embedding finds the similarity that is in its data. It may be
# that of descent, and it may be another.

# %% [markdown]
# ## Further: SGD or Adam
#
# Most people would train with Adam. Is the map as good? Give both the same number of steps, and Adam has learnt far
# more. So compare at **equal loss** first, and then train on.


# %%
def by_optimiser(seed):
    family, tasks, learner, starts = waves_and_starts(seed)
    geometry, start = TrueGeometry(family.true_distance(tasks)), starts["shared"]
    sgd = train_tasks(learner, tasks, 500, start=start, optimiser="sgd", learning_rate=0.01)
    longer = train_tasks(learner, tasks, 1500, start=sgd.parameters, optimiser="sgd", learning_rate=0.01)
    adam = {n: train_tasks(learner, tasks, n, start=start, optimiser="adam", learning_rate=0.01) for n in (50, 500)}
    runs = {"SGD, 500 steps": sgd, "Adam, 50 steps": adam[50], "SGD, 2000 steps": longer, "Adam, 500 steps": adam[500]}
    found = judged(geometry, learner, runs)
    found["languages, SGD at rate 0.5: purity"], found["languages, SGD: loss"] = ways_of_languages(
        seed, True, "sgd", 0.5
    )
    return found


ends = {"SGD, 500 steps": (0.1, 0.3, 0.88, 0.97), "Adam, 50 steps": (0.1, 0.3, 0.78, 0.87)}
ends |= {"SGD, 2000 steps": (0.02, 0.08, 0.83, 0.92), "Adam, 500 steps": (0, 0.02, 0.6, 0.8)}
rows = [row for name, (a, b, c, d) in ends.items() for row in ((f"{name}: loss", a, b), (f"{name}: Spearman", c, d))]
rows += [("languages, SGD: loss", 2.1, 2.7), ("languages, SGD at rate 0.5: purity", 0.7, 0.95)]
over_seeds("06.by_optimiser", by_optimiser, by_optimiser(0), *rows)

# %% [markdown]
# **Explain.** The first two rows of losses are alike. There Adam's Spearman is about a tenth lower. SGD moves a weight
# as far as its gradient says. Adam divides each step by the size of the weight's own gradients, and so changes the
# lengths. But that is only half of the story. SGD's map gets worse too, when it trains on to a smaller loss.
#
# Why then do the languages use Adam? A recurrent network learns slowly by SGD: even with a rate of 0.5 its loss is
# about 2.4 a letter after 50 steps, where Adam has about 0.8. And their ways are compared by the cosine, which does not
# ask for lengths.
#
# ## Further: digits, and which layer to take
#
# A task is three handwritten digits, all turned by one angle (lesson 04). Its model is a small convolutional network,
# its loss the cross-entropy. The network is told the labels 0, 1, 2. It is not told which digits these are, nor the
# angle. Which layer's way knows which digits they are, and which knows the angle?

# %%
from taskembed_edu import Digits


def ways_of_layers(seed, shared=True):
    rng = torch.Generator().manual_seed(seed)
    family, reader = Digits().split(rng).unseen, task_learner(Digits())
    tasks, start = family.sample(60, rng=rng), start_networks(reader, 60, rng, shared=shared)
    run = train_tasks(reader, tasks, 200, start=start, optimiser="sgd", learning_rate=0.1)
    chosen = {"first filters": "convolution_1", "last layer": "output", "all layers": "all"}
    ways = {
        n: weight_vectors(reader, run.parameters, layer=k, form="difference", start=start) for n, k in chosen.items()
    }
    answers = reader.apply(run.parameters, tasks.query_x).argmax(dim=-1)
    return family, tasks, ways, float((answers == tasks.query_y).double().mean())


def layers(seed):
    (_, tasks, ways, right), (family, others, own, _) = ways_of_layers(seed), ways_of_layers(seed, shared=False)
    angle, digits = (torch.cdist(part, part) for part in (tasks.truth[:, :1], tasks.truth[:, 1:]))
    found = {"right on new pictures (chance 0.33)": right}
    for name in ("first filters", "last layer"):
        found[f"{name}: Spearman with the angle"] = TrueGeometry(angle).spearman(ways[name], "cosine")
        found[f"{name}: Spearman with the digits"] = TrueGeometry(digits).spearman(ways[name], "cosine")
    truth = TrueGeometry(family.true_distance(others))
    return found | {"own starts, all layers: Spearman with both": truth.spearman(own["all layers"], "cosine")}


mine = layers(0)
ends = [(0.85, 1), (0.1, 0.35), (0.05, 0.3), (-0.05, 0.15), (0.15, 0.5), (-0.1, 0.1)]
over_seeds("06.layers", layers, mine, *[(label, *end) for label, end in zip(mine, ends, strict=True)])

# %% [markdown]
# **Explain.** The first filters look at strokes, and their ways know the angle about as well as the digits. The last
# layer knows the digits, and next to nothing of the angle. So "the parameters" is a choice: which layer stands for the
# task decides what *near* means. All these numbers are far below those of the waves, though the networks answer well.
# What a network can do, and how its weights are ordered, are two questions. With own starts nothing is left.

# %% [markdown]
# ## Three things to try
#
# In the lab above. *Reset* brings the beginning back. Each time: predict first.
#
# 1. *Layer*, at step 60: compare *Number*, *Input*, *Recurrent* and *Output*. The networks stay the same.
# 2. *Play* on to step 300. Does the purity go on rising while the loss falls?
# 3. *Task vector* to *Outputs*, at step 60: what the networks answer, in place of their weights.
#
# <details><summary>What is to be seen</summary>
#
# 1. Other maps of the same networks. *Number*, the layer that reads the number, has a purity of about 0.9. *Recurrent*
#    has the lowest, about 0.7. It is the largest layer.
# 2. No. The loss falls from about 0.8 to 0.02, and the purity stays about 0.9. The way was clear early.
# 3. The purity is lower, about 0.65. With a shared start the weights know more than the answers. The last exercise asks
#    what happens with own starts.
# </details>
#
# ## Exercises
#
# **1.** A hidden layer has 4 units of tanh. In how many forms can one function be written, by orders and signs?
#
# **2.** A friend reports: "200 waves, one network each, trained on 20 computers. All losses are below 0.01, and
# Spearman is 0.4." What happened: `"not trained"`, `"own starts"`, `"collapse"` or `"overfitting"`?

# %%
# solution
my_forms = 24 * 2**4
my_answer = "own starts"
# stub
# my_forms = None  # put your number in place of None, and run the cell again
# my_answer = None  # put one of the four words in place of None
# end
display(check("06.forms", my_forms), check("06.report", my_answer))

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
# **4. An investigation.** Set *Start* to *One each* and press *Reset*. By the weights, purity stays near 0.25. The
# starts must stay different. You may change everything else in the panel. Bring the purity to 0.45 or more.

# %%
# solution
lab.session.reset(start="own", vector="outputs")
lab.session.step(20)
# stub
# # Use the panel above, then run this cell.
# end
display(check("06.own_starts", lab), tally("06"))

# %% [markdown]
# ## What to remember
#
# - Train a model for each task, take its parameters (模型参数) as the vector: it works with **one shared start**
#   (共享初始化).
# - Weights from different starts cannot be compared: hidden units can change places (置换对称性), so one function has
#   many weights.
# - Matching (匹配) brings back a part of the order, not all of it.
# - Compare maps at equal loss. Longer training, and Adam, both cost order.
# - Ways $w - w_0$ by the cosine: the direction counts, not the length. Choose the layer: it decides what near means.
# - Give chance beside a score, and more than one seed.
#
# Next: [07 Distributions of weights](07_distributions_of_weights.ipynb).
#
# ## Sources
#
# - R. Hecht-Nielsen, *On the Algebraic Structure of Feedforward Network Weight Spaces*, 1990: orders and signs.
# - S. K. Ainsworth, J. Hayase and S. Srinivasa, *Git Re-Basin: Merging Models modulo Permutation Symmetries*, 2023:
#   matching by orders, and its local optima.
# - C. Finn, P. Abbeel and S. Levine, *Model-Agnostic Meta-Learning*, 2017: the waves.
# - D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, 2015.
# - K. Cho and others, *Learning Phrase Representations using RNN Encoder-Decoder*, 2014: the gated recurrent unit.
# - H. Hammarström, R. Forkel, M. Haspelmath and S. Bank, *Glottolog*, glottolog.org: the branches of languages.
# - The spellings are those of num2words; their plain letters come from anyascii.
