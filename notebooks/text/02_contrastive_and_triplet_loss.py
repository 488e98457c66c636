# %% [markdown]
# # Contrastive and triplet loss: who is pulled, who is pushed
#
# Lesson 01 said what *near* means. Now a network is to learn it: similar things near each other, different things
# apart. A loss turns that aim into one number, and its gradient into forces. In this lesson you work with both by hand.
#
# ## What you will be able to do
#
# - compute a contrastive loss (对比损失) and a triplet loss (三元组损失) by hand
# - read any paper's formula: what its label means, linear or squared, sum or mean
# - say what the margin (间隔) does, and find the margins at which a slip in a worked example matters
# - predict the force on each point, and go through one update step by step
# - train a Siamese network (孪生网络) with the document's own loop, and see what wrong labels do to it
#
# **Time:** 40 minutes.
#
# ## What you need first
#
# [Lesson 01](01_distances.ipynb), and what a gradient is.

# %% [markdown]
# ## The loss by hand
#
# The document's example has three embeddings (嵌入向量): an **anchor** (锚点) $x = [1, 2, 3]$, a **positive** (正样本)
# $x^+ = [2, 3, 4]$ that is similar to it, and a **negative** (负样本) $x^- = [4, 5, 6]$ that is not. Its loss wants the
# positive *at* the anchor, and the negative at least a margin $m$ away:
#
# $$L = d(x, x^+) + \max(0,\, m - d(x, x^-))$$
#
# You know $d(x, x^+) = \sqrt 3$ from lesson 01. Each entry of $x^-$ is 3 larger than that of $x$. The margin is 1.

# %%
from taskembed_edu.course import check, outcome, over_seeds, predict, tally

predict("02.negative", "Does the negative add anything to the loss?", ["yes", "no"])

# %%
import math

from taskembed_edu import contrastive_loss

x, positive, negative = [1, 2, 3], [2, 3, 4], [4, 5, 6]
pull = math.dist(x, positive)
push = max(0.0, 1 - math.dist(x, negative))
by_hand = pull + push
assert math.isclose(by_hand, contrastive_loss([x, x], [positive, negative], label=[1, 0]), rel_tol=1e-6)
print(f"{pull:.4f} + {push:.4f} = {by_hand:.4f}")
outcome("02.negative", {"yes": push > 0, "no": push == 0})

# %% [markdown]
# **Explain.** $L = \sqrt 3 \approx 1.7321$. The negative is 5.2 away. That is the point of a margin: what is
# far enough is left alone.
#
# ## A slip to learn from: the wrong distance, the right loss
#
# The document writes $\max(0,\, 1 - \sqrt{14})$ for the second term. Is $\sqrt{14}$ the distance of $[1, 2, 3]$ and
# $[4, 5, 6]$? If not, would you have noticed from the loss? At margin 1 the slip does no harm: both values are beyond
# the margin, and $\max$ makes both terms 0.

# %%
printed = math.sqrt(14)
true = math.dist(x, negative)
print(f"printed {printed:.4f}, true {true:.4f} = sqrt({true**2:.0f}), and 3 sqrt(3) is {3 * math.sqrt(3):.4f}")
print(f"and what is sqrt(14)? The length of [1, 2, 3] itself: {math.hypot(*x):.4f}")
LIMITS = {"√3 = 1.73": 3**0.5, "√14 = 3.74": 14**0.5, "√27 = 5.20": 27**0.5}
predict("02.harm", "Above which margin would the slip have done harm?", list(LIMITS))


# %%
def losses_at(margin):
    return [pull + max(0.0, margin - d) for d in (printed, true)]


print("margin  with sqrt(14)   true      too much by")
for margin in (1, 3, 3.74, 3.75, 4, 5, 6):
    wrong, right = losses_at(margin)
    print(f"{margin:6.2f} {wrong:13.4f} {right:9.4f} {wrong - right:11.4f}")
harmful = {name: len(set(losses_at(d + 0.01))) > 1 for name, d in LIMITS.items()}  # just above each of the three
outcome("02.harm", next(name for name, harm in harmful.items() if harm))

# %% [markdown]
# **Explain.** The distance is $\sqrt{27} = 3\sqrt 3$. A right result does not prove a right calculation.
#
# Above 3.74 the wrong negative is pushed. Between 3.74 and 5.20 the true negative is still left alone while the wrong
# one is pushed; from 5.20 on the loss is too large by $\sqrt{27} - \sqrt{14} = 1.4545$.
#
# ## Read the label
#
# The document's general formula has one label for two pairs:
#
# $$L = \sum_i \left[\, y_i\, d(x_i, x_i^+) + (1 - y_i) \max(0,\, m - d(x_i, x_i^-)) \right]$$
#
# Here $y_i$ is 0 or 1, so it switches one of the two terms off. The example has both terms. So read the formula with
# **one summand for each pair**: the label $y$ says whether *this* pair is similar. The example then has two pairs, one
# with $y = 1$ and one with $y = 0$, which is how `contrastive_loss` was called above.
#
# And note which way round the label is. Here, as in the document, $y = 1$ means similar. In the paper that introduced
# the loss (Hadsell, Chopra and LeCun 2006) $Y = 0$ means similar. At the end of this lesson you train with labels the
# other way round, and look.
#
# ## Linear or squared
#
# Hadsell's loss is not linear. A pair adds $\tfrac12 d^2$ if it is similar and $\tfrac12 \max(0,\, m - d)^2$ if not.
#
# What differs is the slope, and the slope is the force:
#
# - the linear loss pulls with force 1 at every distance, and pushes with force 1 up to the margin;
# - the squared loss pulls harder the farther a similar pair is apart, and lets go gently.
#
# ## The triplet loss
#
# The **triplet loss** (三元组损失) does not ask *how far*. It asks only that the negative be farther from the anchor
# than the positive is, by the margin:
#
# $$L = \max(0,\; d(a, p) - d(a, n) + m)$$
#
# In the document's example the negative is $2\sqrt 3 \approx 3.46$ farther from the anchor than the positive. So what
# is its triplet loss?
#
# Above the question stands a figure of the *contrastive* loss of one pair, linear and squared. Move its slider to
# change the margin; point at a curve to read it. The grey lines mark the example's distances, and the $\sqrt{14}$ of
# the slip.

# %%
from taskembed_edu import loss_surface_figure

display(loss_surface_figure(margin=4, marks={"√3": math.sqrt(3), "√14": math.sqrt(14), "√27": math.sqrt(27)}))
predict("02.triplet", "What is the triplet loss of the example at margin 1?", ["0", "√3", "2√3"])

# %%
import torch

from taskembed_edu import triplet_loss

for margin in (1, 4):
    by_hand = max(0.0, math.dist(x, positive) - math.dist(x, negative) + margin)
    assert math.isclose(by_hand, triplet_loss(x, positive, negative, margin), abs_tol=1e-6)
    print(f"triplet, margin {margin}: max(0, 1.7321 - 5.1962 + {margin}) = {by_hand:.4f}")
rows = torch.tensor([[1.0, 2, 3], [2, 3, 4], [4, 5, 6]])
pairs, unit_pairs = (([a, a], [p, n], [1, 0]) for a, p, n in (rows, rows / rows.norm(dim=1, keepdim=True)))
conventions = {
    "linear, sum (the document)": contrastive_loss(*pairs),
    "Hadsell: half squares, sum": contrastive_loss(*pairs, squared=True),
    "squares without the half": 2 * contrastive_loss(*pairs, squared=True),
    "linear, mean over the two pairs": contrastive_loss(*pairs, reduction="mean"),
    "linear, vectors of length 1": contrastive_loss(*unit_pairs),
    "linear, cosine distance": contrastive_loss(*pairs, metric="cosine"),
    "triplet, cosine distance": triplet_loss(x, positive, negative, 1.0, "cosine"),
}
for name, value in conventions.items():
    print(f"{name:32} {value:.4f}")
value = float(triplet_loss(x, positive, negative, 1))
outcome("02.triplet", {"0": value == 0, "√3": math.isclose(value, 3**0.5), "2√3": math.isclose(value, 12**0.5)})

# %% [markdown]
# **Explain.** The contrastive loss went on pulling at the positive. The triplet loss is satisfied by the *order*. So it
# leaves the geometry of the task space (任务空间) more freedom. For the cosine, the three vectors point almost the same
# way, and its loss is nearly the whole margin.
#
# And look at the table: same points, same margin 1, and the "contrastive loss" has six values. $\tfrac12 (\sqrt 3)^2 =
# 1.5$ is Hadsell's. When your number is not the paper's number, ask five questions before you look for a bug: Which
# label is similar? Linear or squared, with the half or without? Sum or mean? Are the vectors normalised first? Which
# pairs count? (The library pytorch-metric-learning prints 0.9573 here: it normalises, takes the pair $x^+, x^-$ as
# well, and averages.)
#
# Seen from an anchor and its positive, a negative is **hard** if it is no farther than the positive, **semi-hard** if
# it is farther but inside the margin, and **easy** beyond. Easy triplets add nothing, and soon nearly all are easy. So
# one **mines** (难例挖掘): takes for each anchor the hardest (Hermans 2017), or the semi-hard ones (Schroff 2015).

# %% [markdown]
# ## The lab
#
# The document's three vectors lie on one line, at 0, $\sqrt 3$ and $3\sqrt 3$; so they can be shown in the plane
# with their true distances. Each arrow is the **force** of one pair: minus the gradient of its term. The dashed circle
# is the margin round the anchor.
#
# - Drag the points, or click one and use the arrow keys. *Ctrl+Z* takes it back.
# - Point at a row of the table to read that pair in words.
# - *Next* goes through one update (更新) by its sub-steps: pairs, distances, violations, forces, move.
# - The key *p* makes everything large, for a projector.
#
# Before you press *Next* five times: which points will move, which way, and will the loss be smaller?

# %% tags=["step-0"]
from taskembed_edu import LossLab

lab = LossLab()
lab

# %% [markdown]
# **Explain.** Anchor and positive pull each other with force 1. The negative is outside the circle and feels nothing.
# You can work the lab from a cell, too; the panel follows. At margin 6 the negative comes under the circle. The anchor
# is then pulled to the right by the positive, and pushed to the left by the negative, which lies on the same side: the
# cell below prints its two forces' sum.
#
# Then a question about margin 1, after 40 updates with learning rate 0.2.

# %%
lab.set(margin=6)
for term in lab.terms():
    print(term)
print("forces:", {name: (round(fx, 4), round(fy, 4)) for name, (fx, fy) in lab.forces().items()})
predict("02.rest", "Which loss reaches 0?", ["the linear one", "the squared one", "both", "neither"])

# %%
after = {}
for name, loss in {"the linear one": "contrastive", "the squared one": "contrastive_squared"}.items():
    run = LossLab(loss=loss)
    run.step(40)
    after[name] = run.loss
    print(f"{name:16} {run.loss:.4f}")
lab.preset("course example")  # the panel above is back at its start
outcome("02.rest", {name: loss < 0.001 for name, loss in after.items()})

# %% [markdown]
# **Explain.** The linear force stays 1 down to distance 0. Each update closes the gap by 0.4, steps over the goal, and
# the next one steps back: the pair never comes to rest. The squared loss comes to rest.
# (An optimiser such as Adam, with small steps, makes the trembling small.)

# %% [markdown]
# ## The document's training loop
#
# A **Siamese network** (孪生网络) is one encoder used twice, with the same weights. Below is the loop of the document's
# section 5, with its gaps filled in. The data: noisy vectors of three kinds, and pairs of them. Label 1: the same kind.
# The picture shows 60 new vectors as the trained network embeds them. Colours and shapes are their kinds.
#
# Then a colleague reads the label as Hadsell's paper does: 1 means *different*. Nothing else changes. What will happen?

# %%
import matplotlib.pyplot as plt
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset

from taskembed_edu import ContrastiveLoss, SiameseNetwork


def noisy(kinds, rng):
    centres = torch.tensor([[1.0, 2, 3], [2, 3, 1], [3, 1, 2]])
    return centres[kinds] + 0.3 * torch.randn(*kinds.shape, 3, generator=rng)


def train(pairs, labels, seed, num_epochs=60):
    torch.manual_seed(seed)  # the network draws its first weights
    model, criterion = SiameseNetwork(), ContrastiveLoss()
    optimizer = optim.Adam(model.parameters())
    dataloader = DataLoader(TensorDataset(*pairs, labels), batch_size=50, shuffle=True)
    losses = []  # of a pair, in the mean over an epoch
    for _epoch in range(num_epochs):
        losses.append(0.0)
        for data in dataloader:
            output1, output2 = model(data[0], data[1])
            loss = criterion(output1, output2, data[2])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1] += loss.item() / len(labels)
    return model, losses


def runs(seed):
    rng = torch.Generator().manual_seed(seed)
    kinds = torch.randint(3, (2, 600), generator=rng)
    pairs, same_kind = noisy(kinds, rng), (kinds[0] == kinds[1]).float()  # 1: similar
    new = noisy(torch.arange(3).repeat(20), rng)
    trained = {"right labels": train(pairs, same_kind, seed), "wrong labels": train(pairs, 1 - same_kind, seed)}
    return {name: (model.encoder(new).detach(), losses) for name, (model, losses) in trained.items()}


def draw(runs):
    _figure, axes = plt.subplots(1, 2, figsize=(12, 3.8), sharex=True, sharey=True, layout="constrained", squeeze=False)
    for ax, (name, (vectors, _losses)) in zip(axes[0], runs.items(), strict=False):
        for kind, marker in enumerate("os^"):
            ax.plot(*vectors[kind::3].T, marker, ms=9, alpha=0.7, label=f"kind {kind}")
        ax.set_title(name, fontsize=14)
        ax.set_xlabel("first number of a vector", fontsize=13)
    axes[0, 0].set_ylabel("second number", fontsize=13)
    axes[0, 0].legend(fontsize=13)
    for ax in axes[0, len(runs) :]:
        ax.set_visible(False)
    plt.show()


mine = runs(0)
draw({"right labels": mine["right labels"]})
predict("02.flipped", "What will happen?", ["an error", "the loss does not fall", "the loss falls, the map is wrong"])

# %% [markdown]
# **Explain.** Three groups, about a margin apart, where the input had three clouds. What distinguished the members of
# one kind has become smaller: the loss asked for that.
#
# ## The same loop, with the labels the other way round

# %%
NEAREST, FELL = "share whose nearest is of its kind", "the last loss as a share of the first"


def measured(runs):
    found = {}
    for name, (vectors, losses) in runs.items():
        nearest = torch.cdist(vectors, vectors).fill_diagonal_(torch.inf).argmin(dim=1)
        found[f"{name}: share whose nearest is of its kind"] = float(
            (nearest % 3 == torch.arange(60) % 3).float().mean()
        )
        found[f"{name}: mean distance of two vectors"] = float(torch.pdist(vectors).mean())
        found[f"{name}: the last loss as a share of the first"] = losses[-1] / losses[0]
    return found


def flipping(seed):
    return measured(runs(seed))


found = measured(mine)
fell, is_found = found["wrong labels: " + FELL] < 0.95, found["wrong labels: " + NEAREST] > 0.75
draw(mine)
display(
    over_seeds(
        "02.flipped",
        flipping,
        found,
        ("right labels: " + NEAREST, 0.95, 1),
        ("wrong labels: " + NEAREST, 0.2, 0.7),
        ("right labels: mean distance of two vectors", 0.7, 1.2),
        ("wrong labels: mean distance of two vectors", 0, 0.2),
        ("right labels: " + FELL, 0.03, 0.2),
        ("wrong labels: " + FELL, 0.6, 0.95),
    ),
    outcome(
        "02.flipped", {"the loss does not fall": not fell, "the loss falls, the map is wrong": fell and not is_found}
    ),
)

# %% [markdown]
# **Explain.** The loss falls in both runs: it cannot know what you meant by 1. With wrong labels it pulls different
# kinds together, and two of three pairs are of different kinds: all vectors end in one heap. By chance a third of the
# nearest are of one kind, and it is not much more. So before you train, print one pair and its label, and ask the loss
# for its value.

# %% [markdown]
# ## Three things to try
#
# In the lab above. Each time: predict first.
#
# 1. *two classes*, loss *Contrastive, linear*, and press *Update* twenty times. Does the sum reach 0? Then choose
#    *Contrastive, squared*, and go on.
# 2. *hard and semi-hard*: drag *negative 1* slowly outwards across the two circles. What becomes of its arrow?
# 3. *three classes* with the distance *Cosine*. Which way do the forces point?
#
# <details><summary>What is to be seen</summary>
#
# 1. The classes come apart in the first five updates; then the sum goes up and down and never reaches 0. The squared
#    loss reaches it.
# 2. The negative changes from hard to semi-hard to easy. Its arrow does not get shorter on the way, and beyond the
#    outer circle it is gone at once.
# 3. The margin's slider ends at 2, and the circle becomes a wedge of directions. Every force is at a right angle to the
#    line from the origin: it turns a point, whatever its length.
# </details>

# %% [markdown]
# ## Exercises
#
# **1.** What is the contrastive loss of the document's example at margin 6? Give an exact expression or four decimals.
#
# **2.** What is the largest margin at which the *triplet* loss of the example is still 0?

# %%
# solution
my_loss = math.sqrt(3) + (6 - 3 * math.sqrt(3))
my_margin = 2 * math.sqrt(3)
# stub
# my_loss = None  # 1. put your number in place of None, and run the cell again
# my_margin = None  # 2. the same
# end
display(check("02.margin_six", my_loss), check("02.largest_margin", my_margin))

# %% [markdown]
# **3.** Write Hadsell's loss of one pair from its distance, its label (1 = similar) and the margin.


# %%
def my_hadsell(distance, label, margin):
    # solution
    return 0.5 * distance**2 if label == 1 else 0.5 * max(0, margin - distance) ** 2
    # stub
    # return None  # put your formula in place of None, and run the cell again
    # end


check("02.hadsell", my_hadsell)

# %% [markdown]
# **4. An open investigation.** An update is meant to make the loss smaller. With the lab above, place the points and
# choose the settings so that the next update makes it *larger*, by at least 0.1. The check tries one update in a copy.

# %%
# solution
lab.preset("course example")
anchor = lab.points["anchor"]
lab.move("positive", (anchor[0] + 0.05, anchor[1]))
# stub
# # Use the panel above, then run this cell.
# end
display(check("02.too_far", lab), tally("02"))

# %% [markdown]
# ## What to remember
#
# - Contrastive loss (对比损失): similar pairs to distance 0, different pairs to at least the margin. One summand a
#   pair.
# - Triplet loss (三元组损失): the negative (负样本) farther from the anchor (锚点) than the positive (正样本), by the
#   margin.
# - The document's example gives $\sqrt 3$ at margin 1. Its $\sqrt{14}$ should be $\sqrt{27}$; that matters above 3.74.
# - Say your convention: which label is similar, linear or squared, sum or mean, normalised or not, which pairs.
# - A force is minus a gradient. Linear: always 1. Squared: as large as the violation. Beyond the margin: 0.
# - The margin lives on the scale of the distance: under the cosine it ends at 2.
#
# Next: [03 Tasks and families](03_tasks_and_families.ipynb).
#
# ## Sources
#
# - J. Bromley and others, *Signature Verification using a "Siamese" Time Delay Neural Network*, 1993.
# - S. Chopra, R. Hadsell and Y. LeCun, *Learning a Similarity Metric Discriminatively*, 2005.
# - R. Hadsell, S. Chopra and Y. LeCun, *Dimensionality Reduction by Learning an Invariant Mapping*, 2006: the
#   contrastive loss, equation 4, with springs for forces.
# - K. Weinberger and L. Saul, *Distance Metric Learning for Large Margin Nearest Neighbor Classification*, 2009.
# - F. Schroff, D. Kalenichenko and J. Philbin, *FaceNet*, 2015: the triplet loss and semi-hard mining.
# - E. Hoffer and N. Ailon, *Deep Metric Learning using Triplet Network*, 2015.
# - A. Hermans, L. Beyer and B. Leibe, *In Defense of the Triplet Loss for Person Re-Identification*, 2017: batch-hard.
