# %% [markdown]
# # The metric-based embedder: a map of tasks that draws itself
#
# Lessons 01 and 02 gave you a distance and a loss. Now you put them together and train an embedder of tasks: the
# course's first method (基于度量学习的方法). Then you break it in six ways, because who has seen an embedding fail can
# tell a good one.
#
# ## What you will be able to do
#
# - build a metric-based task embedder in the course's five steps, and write one training step by hand
# - say what the margin (间隔) sets, and what it does not
# - recognise a collapse (坍缩), name its cause, and say which score does not see it
# - choose a margin for the cosine distance (余弦距离)
# - tell retrieval (检索) from geometry (几何), and say which loss serves which
# - say what may be read from a UMAP map, and what may not
#
# **Time:** 50 minutes.
#
# ## What you need first
#
# Lessons [00](00_start_here.ipynb), [01](01_distances.ipynb) and [02](02_contrastive_and_triplet_loss.ipynb).
#
# What a network learned differs a little from computer to computer. So these cells print the **band** in which a number
# lies. The pictures show the number itself.

# %%
import math

import matplotlib.pyplot as plt
import torch


def band(value, *edges):
    low = max((edge for edge in edges if edge <= value), default=-math.inf)
    high = min((edge for edge in edges if edge > value), default=math.inf)
    return f"below {high:g}" if low == -math.inf else f"above {low:g}" if high == math.inf else f"{low:g} to {high:g}"


print("0.37 lies in the band", band(0.37, 0, 0.25, 0.5, 1))

# %% [markdown]
# ## Step 1: the task set
#
# The first step is to collect tasks: the **task set** (任务集合). Ours are the sine waves of lesson 00, each seen
# through 16 of its points. They are split before anything else: tasks to train on, tasks to watch, tasks never seen.
#
# The label comes for free. Draw **two** support sets (支持集) of one task, independently: they are similar. Sets of two
# different tasks are not.
#
# **Predict.** One training step takes 64 tasks, two sets of each. How many pairs of sets are there? What share of them
# is similar: a half, a tenth, a hundredth?

# %%
from taskembed_edu import Sinusoids

rng = torch.Generator().manual_seed(0)
train, validation, unseen = Sinusoids().split(rng)
watched = validation.sample(200, rng=rng)
again = validation.redraw(watched, rng)  # the same 200 tasks through other points

n_sets = 2 * 64
n_pairs = n_sets * (n_sets - 1) // 2
print(f"pairs: {n_pairs}, similar: 64, that is one in {n_pairs / 64:.0f}")
first, second = (set(tasks.support_x[0].flatten().tolist()) for tasks in (watched, again))
print(f"task 0 is {watched.names[0]}; points: {len(first)} and {len(second)}, in both: {len(first & second)}")

# %% [markdown]
# **Explain.** One in 127. A plain mean over all pairs would hear of hardly anything but pushing. So this course takes
# the mean over the similar pairs, the mean over the different pairs, and adds the two.
#
# ## Steps 2 to 4: the distance, the network, the loss
#
# Step 2 is the **distance** (度量函数): Euclidean at first. Step 3 is the **network**: an encoder (编码器) that reads a
# whole set and gives 8 numbers. Used on two sets it is a Siamese network (孪生网络), on three a triplet network
# (三元组网络); the weights are the same. Step 4 is the **loss** (损失函数): contrastive (对比损失), with margin 1.
#
# **Predict.** The encoder averages over the set's points. What happens to the vector of a task if you shuffle its
# points?

# %%
from taskembed_edu import MetricEmbedder, MetricSettings, pairwise_distances

embedder, settings = MetricEmbedder(), MetricSettings(metric="euclidean", loss="contrastive", margin=1.0)
state = embedder.begin(train, watched, settings, rng)
order = torch.randperm(16, generator=rng)
vectors = embedder.embed(state)
shuffled = embedder.embed(state, watched.with_support(watched.support_x[:, order], watched.support_y[:, order]))
torch.testing.assert_close(vectors, shuffled)
print("200 tasks in, out comes", tuple(vectors.shape))

# %% [markdown]
# **Explain.** Nothing. A set has no order, so an encoder of sets must not see one.
#
# Now one training step by hand. The copy of the state draws the same tasks as the package's own step does.

# %%
twin = state.copy()
truth = twin.family.draw_truth(64, twin.rng)
x, y = twin.family.draw_samples(torch.cat((truth, truth)), 16, twin.rng)  # two sets of each task
distances = pairwise_distances(twin.encoder(x, y))
task = torch.arange(64).repeat(2)
similar = task[:, None] == task[None, :]
each_once = torch.ones(128, 128, dtype=torch.bool).triu(1)
pull = distances[similar & each_once].mean()
push = (1.0 - distances[~similar & each_once]).relu().mean()

_state, record = embedder.step(state, settings)
torch.testing.assert_close(pull + push, record.loss)
print(f"pull {pull:.2f} + push {push:.2f} = the loss of the package's first step")

# %% [markdown]
# ## Step 5: training
#
# Here is the loop of the course's section 5 once more, as in lesson 02. Only the samples are new: each is a whole task,
# its 16 points $(x, y)$ in one tensor.
#
# **Predict.** The untrained encoder finds a task again, by its other set, in a few cases of 200. How many will it find
# after 150 updates?

# %%
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from taskembed_edu import ContrastiveLoss, SiameseNetwork, recall_at_k, set_encoder


class TaskReader(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, points):
        return self.encoder(points[..., :1], points[..., 1:])


label = torch.arange(9600) % 2  # 1: similar
one, other = train.draw_truth(9600, rng), train.draw_truth(9600, rng)
other[label == 1] = one[label == 1]
sets = [torch.cat(train.draw_samples(truth, 16, rng), dim=-1) for truth in (one, other)]
dataloader = DataLoader(TensorDataset(*sets, label.float()), batch_size=64, shuffle=True, generator=rng)

# %%
model = SiameseNetwork(TaskReader(set_encoder(train, rng)))
criterion = ContrastiveLoss()
optimizer = optim.Adam(model.parameters())


def found_again(model):
    points = [torch.cat((tasks.support_x, tasks.support_y), dim=-1) for tasks in (again, watched)]
    with torch.no_grad():
        return recall_at_k(*model(*points), ks=(1,))[1]


before = found_again(model)
num_epochs = 1
for _epoch in range(num_epochs):
    for data in dataloader:
        output1, output2 = model(data[0], data[1])
        loss = criterion(output1, output2, data[2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print("recall@1 before:", band(before, 0.15), "   after 150 updates:", band(found_again(model), 0.15, 0.25))

# %% [markdown]
# **Explain.** Ten lines of training, and tasks it never saw find themselves again. The package does the same with one
# more thought: 128 sets hold 8,128 pairs, and the loop above uses 64 of them. Taking all costs little more, and each
# step teaches more.

# %% [markdown]
# ## The lab
#
# 200 tasks that the network never trains on. The map is PCA, to scale. Press **Play** and watch the numbers under the
# curves. Hover over a point to see its wave; click it to see its nearest neighbours, in the embedding and in truth.
#
# **Predict.** Which of these will grow: recall@1, Spearman, the mean distance between tasks, the share of active pairs
# (different tasks still inside the margin)?

# %%
from taskembed_edu import MetricLab

lab = MetricLab("sinusoids", projection="pca", seed=0)
lab

# %%
lab.session.step(300)  # rather not wait? The panel above follows
start, end = lab.session.history[0].diagnostics, lab.session.frame.diagnostics
active = [lab.session.history[1].diagnostics["active_pairs"], end["active_pairs"]]  # a count over steps: none at step 0
print("recall@1:     from", band(start["recall@1"], 0.2, 0.4), "to", band(end["recall@1"], 0.2, 0.4))
print("Spearman:     from", band(start["spearman"], 0.78), "to", band(end["spearman"], 0.78))
print("distance:     from", band(start["mean_distance"], 1.4), "to", band(end["mean_distance"], 1.4), "in the mean")
print("active pairs: from", band(active[0], 0.25), "to", band(active[1], 0.25))
lab.picture()

# %% [markdown]
# **Explain.** All grow but the last. The pairs that are far enough stop pushing, so the longer you train, the fewer
# pairs teach. Is the loss no longer falling? Look at the active pairs first.
#
# ## The margin experiment
#
# **Predict.** From here three futures: margin 0.2, 1 and 3, from the same weights. What becomes of the mean distance?
# Which margin finds most tasks again?

# %%
futures = {margin: lab.session.branch() for margin in (0.2, 1.0, 3.0)}
for margin, future in futures.items():
    future.set(margin=margin)
    future.step(150)
    scores = future.frame.diagnostics
    size = band(scores["mean_distance"], 0, 1, 4, 10)
    print(f"margin {margin}: mean distance {size}, recall@1 above 0.5: {scores['recall@1'] > 0.5}")


# %%
def compare(runs, *names):
    _figure, axes = plt.subplots(1, len(names), figsize=(3.4 * len(names), 2.5), layout="constrained", dpi=60)
    for ax, name in zip(axes, names, strict=True):
        for (label, run), dash in zip(runs.items(), ("-", "--", ":"), strict=False):
            ax.plot([f.step for f in run.history], [f.diagnostics[name] for f in run.history], dash, label=label)
        ax.set(title=name.replace("_", " "), xlabel="step")
    axes[-1].legend(fontsize=8)
    plt.show()


compare({f"margin {m}": run for m, run in futures.items()}, "mean_distance", "recall@1", "spearman")

# %% [markdown]
# **Explain.** The margin sets the **scale** of the map, and little else. Nobody told the network how long one unit is:
# with a margin fifteen times larger it draws the same map larger. (The panel makes every map fill its frame: read the
# size off the bar in the corner of a PCA map.) So never compare the distances or the losses of
# two runs with different margins. Compare recall and Spearman, which know no scale.
#
# ## Collapse
#
# **Predict.** Back to the first frame, with the same weights, and margin 0: no pair pushes. The loss will fall. How
# far? And what becomes of recall@1 and Spearman?

# %%
collapsing = lab.session.branch(at=0)
collapsing.set(margin=0.0)
collapsing.step(200)
scores = collapsing.frame.diagnostics
print("loss", band(collapsing.frame.loss, 0.05), "  mean distance", band(scores["mean_distance"], 0.1))
print("recall@1", band(scores["recall@1"], 0.2), "  Spearman", band(scores["spearman"], 0.25))
print("the lab's alarm:", collapsing.frame.alarm.partition(". ")[2])

# %% [markdown]
# **Explain.** A **collapse** (坍缩): all tasks go to one point, and for this loss one point is perfect. The loss never
# looked better. Spearman is slow to see it, because it asks for the *order* of the distances, and a map a thousand
# times smaller can still have its order. The mean distance sees it at once.
#
# Rule: beside every loss, watch one number that falls when everything falls.

# %% [markdown]
# ## Mining, and a second collapse
#
# Most triplets are soon satisfied and teach nothing. **Mining** (难例挖掘) takes only those that do. *Hard*: for each
# anchor (锚点) its farthest positive and its nearest negative (Hermans 2017). *Semi-hard*: the nearest negative that is
# still farther than the positive, yet inside the margin (Schroff 2015).
#
# By hand, on the batch of step 4:

# %%
from taskembed_edu import hard_triplets

itself = torch.eye(128, dtype=torch.bool)
farthest_positive = distances.masked_fill(~similar | itself, -1).argmax(dim=1)
nearest_negative = distances.masked_fill(similar, math.inf).argmin(dim=1)
anchors, positives, negatives = hard_triplets(distances, task)
assert torch.equal(farthest_positive, positives)
assert torch.equal(nearest_negative, negatives)
print(f"all: {128 * 126} triplets, hard: {len(anchors)}, one for each anchor")

# %% [markdown]
# **Predict.** Three runs with the triplet loss (三元组损失), margin 1, and a learning rate (学习率) of 0.03, thirty
# times the usual. They differ in the mining alone. One of them learns. Which?

# %%
from taskembed_edu import Session


def trained(steps, batch=32, **settings):
    run = Session("metric", projection="pca", frame_every=25, seed=0, batch=batch, **settings)
    run.step(steps)
    return run


for mining in ("all", "hard", "semi-hard"):
    run = trained(150, batch=64, loss="triplet", mining=mining, learning_rate=0.03)
    size, recall = run.frame.diagnostics["mean_distance"], run.frame.diagnostics["recall@1"]
    print(f"{mining:9} mean distance {band(size, 0.5, 5, 200):10} recall@1 {band(recall, 0.2)}")
    if mining == "hard":
        print(f"{'':9} loss {run.frame.loss:.1f}, the margin 1.0")

# %% [markdown]
# **Explain.** *All* learns. *Hard* collapses. The nearest of 126 negatives lies almost on the anchor and the positive
# well beyond it, so pulling in does more for the loss than pushing away, and the quickest way out is to shrink
# everything. In one point $d(a, p) = d(a, n) = 0$, and $\max(0,\, 0 - 0 + m) = m$.
#
# So a triplet loss that stands still at the margin makes one **suspect** a collapse. It does not prove one: any
# embedding that ignores the labels costs at least the margin on average, also one that is spread out (Jensen's
# inequality). What **confirms** a collapse is a mean distance that goes to 0, and a recall that stays at chance.
#
# *Semi-hard* flies apart here: its mean is over the triplets still inside the margin alone, so its force does not get
# smaller. That is the learning rate's doing. Schroff brought semi-hard mining in *against* collapse, on vectors of
# length 1 and with squared distances.
#
# The cure is not to give up mining. With the usual learning rate:

# %%
runs = {mining: trained(200, loss="triplet", mining=mining) for mining in ("hard", "semi-hard", "all")}
for mining, run in runs.items():
    print(f"{mining:9} recall@1 {band(run.frame.diagnostics['recall@1'], 0.2)}")
compare(runs, "mean_distance", "recall@1", "active_pairs")

# %% [markdown] **Explain.** All three learn. Look at the first steps: with all triplets the map is several times as
# large at once, with the hard ones it is slow to grow, and most triplets stay active for longer. There the danger is.
# It grows with the number of tasks a step, which brings the nearest negative nearer, and with the learning rate. That
# is why one mines late, or gently.

# %% [markdown]
# ## Cosine: the margin has a ceiling
#
# The course names two distances, Euclidean and cosine. Under the cosine, 0 is the same direction, 1 a right angle, and
# nothing is beyond 2.
#
# First without any training. Take the lab's vectors as they are, and ask for each task's five nearest by the cosine.
#
# **Predict.** How many of a task's five neighbours change?

# %%
changes = lab.session.neighbour_changes(lab.session.frame, "cosine", k=5)
print("share of neighbours that change:", band(changes.share, 0.05, 0.5))
most = int(changes.counts.argmax())
print("most changed: a task that keeps at most 2 of its 5:", len(changes.lost(most)) >= 3)

# %% [markdown]
# **Explain.** Not one vector moved, and some neighbours are gone. Lost are those beside the task that lie in another
# direction, seen from zero; gained are those farther away in the same direction. So an embedding is never good by
# itself, but under the distance that it was trained for: the map's neighbours, recall@1 and Spearman follow the
# distance chosen. (In the lab: the button **What changed?**)
#
# **Predict.** Now train under the cosine, with margins 0.2, 1 and 2. Does the margin set the scale again?

# %%
angles = {margin: trained(300, metric="cosine", margin=margin) for margin in (0.2, 1.0, 2.0)}
for margin, run in angles.items():
    scores = run.frame.diagnostics
    size, active = band(scores["mean_distance"], 0.9, 1.1), band(scores["active_pairs"], 0.25, 0.75)
    print(f"margin {margin}: mean distance {size}, active pairs {active}")
small, right, opposite = (run.frame.diagnostics for run in angles.values())
print("margin 0.2 finds more tasks again than margin 2:", small["recall@1"] > opposite["recall@1"] + 0.05)
print("margin 0.2 keeps more geometry than margin 1:   ", small["spearman"] > right["spearman"] + 0.1)

# %%
compare({f"margin {m}": run for m, run in angles.items()}, "mean_distance", "recall@1", "spearman")

# %% [markdown]
# **Explain.** No: directions have no scale. Many directions spread evenly are 1 apart in the mean, whatever the margin.
# The margin now says *which pairs push*. At 2 all do, for ever, since only exact opposites are 2 apart, and no three
# arrows can all be opposite to each other. At 0.2 only the near ones push, and the far ones keep their order. Under the
# cosine begin with a small margin, such as 0.2.
#
# ## Retrieval against geometry
#
# **Predict.** More room: 64 dimensions instead of 8. Three runs, all with margin 1. Recall@1 rises in all. In which
# does Spearman *fall*?

# %%
roomy = {
    "cosine, contrastive": trained(300, dim=64, metric="cosine"),
    "Euclidean, contrastive": trained(300, dim=64),
    "Euclidean, triplet": trained(300, dim=64, loss="triplet"),
}
for name, run in roomy.items():
    start, end = run.history[0].diagnostics, run.frame.diagnostics
    rose, moved = end["recall@1"] - start["recall@1"], end["spearman"] - start["spearman"]
    print(f"{name:23} recall@1 rose by {band(rose, 0.2)}, Spearman {'fell' if moved < -0.2 else 'did not fall'}")
pairs, triplets = (run.frame.diagnostics["spearman"] for run in list(roomy.values())[1:])
print("the triplet loss keeps more geometry than the contrastive:", triplets > pairs + 0.03)

# %%
compare(roomy, "recall@1", "spearman")

# %% [markdown] **Explain.** The contrastive loss asks for **identity**: this task, and none of the others. All others
# should be at least a margin away, the similar and the strange alike. Under the cosine, margin 1 means at right angles,
# and 64 dimensions have room for 64 directions at right angles: the network comes close to what it was asked for, and
# then all distances are the same and their order is noise. Euclidean space has no ceiling: who is far may stay far.
#
# The triplet loss compares a task with itself and with others, never two others with each other. So it does not ask for
# the true order. But once it is satisfied, nothing presses all tasks to one common distance, and the geometry that the
# encoder brings along survives. (Over three seeds Spearman was .90, .90, .88 for the triplet loss, and .80, .80, .78
# for the contrastive loss at margin 1; at margin 3 the contrastive loss reached .84.)
#
# So a rising recall@1 does not promise geometry. But do not learn it as a law either: in lab and lesson 00, with 8
# dimensions and the Euclidean distance, both rise. Measure both, always.

# %% [markdown]
# ## Why a plain encoder fails
#
# Our encoder does not see $x$ itself but random waves of it, $\cos(2\pi w x)$ and $\sin(2\pi w x)$ with 32 frequencies
# $w$: **Fourier features** (傅里叶特征). What are they good for? Average a wave's height times $\sin x$ and $\cos x$:

# %%
amplitude, phase = 2.0, 0.7
x = 2 * math.pi * torch.arange(1000) / 1000
y = amplitude * torch.sin(x - phase)
seen = (2 * (y * x.sin()).mean(), -2 * (y * x.cos()).mean())
torch.testing.assert_close(torch.stack(seen), Sinusoids().coordinates(torch.tensor([[amplitude, phase]]))[0])
print(f"2 mean(y sin x) = {seen[0]:.4f} = A cos(phase),  -2 mean(y cos x) = {seen[1]:.4f} = A sin(phase)")

# %% [markdown]
# Two averages over a whole period give the true coordinates of the task; over 16 random points they give them roughly.
# The right wave is already most of the answer.
#
# **Predict.** The *plain* encoder sees $x$ and $y$ as they are, through the same network of the same width, with the
# same loss and the same 300 steps. How much of the recall is left?

# %%
plain = trained(300, features="plain", batch=64)
print("plain   recall@1", band(plain.frame.diagnostics["recall@1"], 0.4))
print("Fourier recall@1", band(lab.session.frame.diagnostics["recall@1"], 0.4))
compare({"Fourier": lab.session, "plain": plain}, "recall@1", "spearman")

# %% [markdown]
# **Explain.** Less than half. A network of ReLUs is made of straight pieces; it learns slow functions of its input
# first and fast ones hardly at all (spectral bias, 频谱偏差). Here it would have to bend several times between $-5$ and
# $5$ before it could tell two phases apart. Neither the loss nor the margin is to blame: where an embedder fails, look
# also at what its encoder can see.

# %% [markdown]
# ## The same on real digits
#
# Nothing above is about sine waves. A task is now: tell three handwritten digits apart, all pictures turned by one
# angle. The support set has five pictures of each. Neither the watched tasks' sets of digits nor
# their pictures were trained on.
#
# **Predict.** Will the untrained encoder be better or worse than on the sines? Which two tasks should be near?

# %%
digits = MetricLab("digits", projection="pca", batch=32, n_tasks=100, seed=0)
digits.session.step(100)
first, last = digits.session.history[0].diagnostics, digits.session.frame.diagnostics
print("recall@1 before:", band(first["recall@1"], 0.1, 0.55), "  after:", band(last["recall@1"], 0.1, 0.55))
print("Spearman rose:", last["spearman"] > first["spearman"] + 0.05)

# %%
_figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained", dpi=60)
layout, truth = digits.session.frame.layout, digits.session.tasks.truth
for ax, column in zip(axes, (0, 1 + 3, 1 + 8), strict=True):
    ax.scatter(*layout.T, c=truth[:, column], s=14, cmap="cividis")
    ax.set(title=digits.session.tasks.truth_names[column], xticks=[], yticks=[], aspect="equal")
plt.show()

# %% [markdown]
# **Explain.** Better: two sets of the same digits look alike even to random weights, which is why who reports a score
# says where it started. The colours say what the map is ordered by: the angle. Which digits a task has hardly shows.
# But PCA draws two directions of eight; what you do not find on it may still be in the vectors.

# %% [markdown]
# ## What UMAP says, and what it does not
#
# The lab can draw its map with UMAP. It keeps near tasks near. For that it gives up the rest. Three clouds of 100
# points, made by hand: one narrow, two ten times as wide; the third is eight times as far from the second as the second
# is from the first.
#
# **Predict.** On UMAP's map, how many times as wide is the second cloud as the first? How many times as far is the
# third?

# %%
from taskembed_edu import LiveUMAP, pca_layout, trustworthiness

rng = torch.Generator().manual_seed(0)
widths, places = torch.tensor([0.1, 1.0, 1.0]), torch.tensor([0.0, 12.0, 112.0])
clouds = widths[:, None, None] * torch.randn(3, 100, 8, generator=rng)
clouds[:, :, 0] += places[:, None]
points = clouds.flatten(0, 1)
maps = {"UMAP, seed 0": LiveUMAP(seed=0).update(points), "UMAP, seed 1": LiveUMAP(seed=1).update(points)}
maps["PCA"] = pca_layout(points)

# %%
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained", dpi=60)
for ax, (name, layout) in zip(axes, maps.items(), strict=True):
    cloud = torch.tensor(layout).reshape(3, 100, 2)
    middle = cloud.mean(dim=1)
    width = (cloud - middle[:, None]).norm(dim=2).mean(dim=1)
    gap = (middle[1:] - middle[:-1]).norm(dim=1)
    print(f"{name:12} {band(width[1] / width[0], 0, 2, 5):8} times as wide,", end=" ")
    print(f"{band(gap[1] / gap[0], 0, 4, 6)} times as far,", end=" ")
    print(f"trustworthiness {band(trustworthiness(points, layout), 0.7, 0.9)}")
    ax.scatter(*layout.T, c=torch.arange(3).repeat_interleave(100), s=8, cmap="cividis")
    ax.set(title=name, xticks=[], yticks=[])
    ax.set_aspect("equal", adjustable="datalim")
plt.show()

# %% [markdown] **Explain.** UMAP draws the three clouds equally wide and moves the far one near. **Sizes, gaps and
# empty space cannot be read off a UMAP map**; who is whose neighbour can, roughly. PCA keeps width and distance, and
# puts near what differs in the directions that it leaves out.
#
# **Trustworthiness** (可信度) says how far neighbours on the map are neighbours in the vectors. It does not say that
# there is anything to see:

# %%
noise = torch.rand(200, 8, generator=rng)
print("pure noise, UMAP:", band(trustworthiness(noise, LiveUMAP().update(noise)), 0.8, 0.9))
print("pure noise, PCA: ", band(trustworthiness(noise, pca_layout(noise)), 0.6, 0.8))

# %% [markdown]
# **Explain.** Noise gets a fair mark as well. So read a map in this order: trustworthiness; the same map
# with another seed, or *Embed again*; PCA beside it; and the scores recall@1 and Spearman, which never look at the map
# but at the vectors. What does not survive all four is a picture, not a finding.

# %% [markdown]
# ## Three things to try
#
# In the lab above. *Reset* brings the beginning back. Each time: predict first.
#
# 1. *Play* to about step 300, *Branch here*, then move the margin to 3. *Look for*: two maps side by side. The chosen
#    task lights up in both. The mean distance parts at once, recall@1 hardly.
# 2. Margin 0, and wait for the alarm. Then drag the time slider back to before the mark and branch there. *Look for*:
#    the map comes back exactly. *Undo* alone sets the margin back but goes on from the small map: does it
#    recover?
# 3. *What changed?* with the cosine, and click a task. *Look for*: the lost neighbours are beside it on the map, the
#    gained ones farther off. Then choose the cosine as distance, the triplet loss, *Reset* and *Play*: is it a cure,
#    or does Spearman still fall?

# %% [markdown]
# ## Exercises
#
# **1.** A step takes 10 tasks, two support sets of each. How many pairs of *different* tasks does its loss see?

# %%
from taskembed_edu.course import check, tally

# solution
my_pairs = 20 * 19 // 2 - 10
# stub
# my_pairs = None  # put your number in place of None, and run the cell again
# end
check("04.pairs", my_pairs)

# %% [markdown]
# **2.** All tasks have collapsed to one point; the margin is 0.7. What is the triplet loss of each triplet? And the
# contrastive loss, mean over the similar pairs plus mean over the different ones?

# %%
# solution
my_losses = (0.7, 0.7)
# stub
# my_losses = None  # for example (0.0, 0.0): the triplet loss, then the contrastive loss
# end
check("04.collapsed", my_losses)

# %% [markdown]
# **3.** Write semi-hard mining for one anchor and its positive: the place of the nearest negative that is farther than
# the positive, yet nearer than the positive plus the margin. No such negative: None.


# %%
def my_semi_hard(to_positive, to_negatives, margin):
    # solution
    inside = [i for i, d in enumerate(to_negatives) if to_positive < d < to_positive + margin]
    return min(inside, key=lambda i: to_negatives[i]) if inside else None
    # stub
    # return None  # put your lines in place of this one, and run the cell again
    # end


check("04.semi_hard", my_semi_hard)

# %% [markdown]
# **4.** A friend reports: "Triplet loss, margin 0.5. Since step 200: loss 0.500, mean distance 0.000, recall@1 0.005
# among 200 tasks." What happened: `"converged"`, `"collapse"`, `"overfitting"` or `"underfitting"`?

# %%
# solution
my_answer = "collapse"
# stub
# my_answer = None  # put one of the four words in place of None, and run the cell again
# end
display(check("04.report", my_answer), tally("04"))

# %% [markdown]
# ## What to remember
#
# - Five steps: task set (任务集合), distance (度量函数), network, loss, training. The label is free: two sets of one
#   task.
# - The Euclidean margin sets the scale of the map. The cosine margin sets which pairs push; keep it small.
# - A small loss can be a collapse (坍缩). A triplet loss at the margin makes one suspect it; a mean distance near 0 and
#   a recall at chance confirm it.
# - Hard mining (难例挖掘) needs a small learning rate.
# - Retrieval (检索) and geometry are two questions. The triplet loss presses less, so more geometry survives.
# - An encoder must be able to see what tells tasks apart: for fast curves, Fourier features (傅里叶特征).
# - On a UMAP map read neighbours. Sizes and gaps cannot be read off it.
#
# Next: [06 Parameter-based embedding](06_parameter_based_embedding.ipynb).
#
# ## Sources
#
# - R. Hadsell, S. Chopra and Y. LeCun, *Dimensionality Reduction by Learning an Invariant Mapping*, 2006: the
#   contrastive loss, and what happens without its push.
# - F. Schroff, D. Kalenichenko and J. Philbin, *FaceNet*, 2015: triplets, semi-hard mining, a warning of collapse.
# - A. Hermans, L. Beyer and B. Leibe, *In Defense of the Triplet Loss for Person Re-Identification*, 2017: batch-hard
#   mining, and runs that collapse.
# - M. Zaheer and others, *Deep Sets*, 2017: encoders that see no order.
# - A. Rahimi and B. Recht, *Random Features for Large-Scale Kernel Machines*, 2007; M. Tancik and others, *Fourier
#   Features Let Networks Learn High Frequency Functions in Low Dimensional Domains*, 2020.
# - N. Rahaman and others, *On the Spectral Bias of Neural Networks*, 2019.
# - K. Musgrave, S. Belongie and S.-N. Lim, *A Metric Learning Reality Check*, 2020: how to compare such runs fairly.
# - J. Venna and S. Kaski, *Neighborhood Preservation in Nonlinear Projection Methods*, 2001: trustworthiness.
# - L. McInnes, J. Healy and J. Melville, *UMAP*, 2018; section 6 names its weaknesses.
# - A. Coenen and A. Pearce, *Understanding UMAP*, 2019.
