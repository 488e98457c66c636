# %% [markdown]
# # Tasks and families: the same pictures, another question, another task
#
# A network for pictures turns one picture into one vector. Average these vectors over a whole data set: is that a task
# embedding? In this lesson you measure the answer, with a family of tasks that you make yourself.
#
# ## What you will be able to do
#
# - say what makes a data set a **task** (任务), and count the samples of an **episode** (情节): n_way, n_shot,
#   support set (支持集), query set (查询集)
# - say how a task embedding (任务嵌入) differs from a feature embedding (特征嵌入), and prove it by an experiment
# - make a **family of tasks** (任务族) of your own in ten lines, and watch a network embed it
# - say what training, validation and never-seen tasks may share
#
# **Time:** 60 minutes; the core path alone 35.
#
# ## What you need first
#
# [Lesson 00](00_start_here.ipynb) and [lesson 02](02_contrastive_and_triplet_loss.ipynb): the triplet loss.

# %% [markdown]
# ## A task is a data set with a question
#
# Below are three tasks. They have nothing in common but their form: some samples with their answers to study, and
# other samples to answer.

# %%
import matplotlib.pyplot as plt
import torch

from taskembed_edu import Digits, NumberWords, Sinusoids
from taskembed_edu.course import check, expected, outcome, over_seeds, predict, tally

families = Sinusoids(), Digits(), NumberWords(part=("de",))
rng = torch.Generator().manual_seed(1)
wave, digits, language = (family.sample(1, n_shot=5, rng=rng)[0].episode for family in families)


def spelt(word):
    return "".join(NumberWords.alphabet[letter] for letter in word if letter >= 0).rstrip(".")


figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
left.plot(wave.support_x, wave.support_y, "o", label="support")
left.plot(wave.query_x, wave.query_y, "o", mfc="white", label="query")
left.legend(fontsize=13)
middle.imshow(digits.support_x.reshape(3, 5, 8, 8).transpose(1, 2).reshape(24, 40), cmap="gray_r")
middle.set_yticks([3.5, 11.5, 19.5], ["class 0", "class 1", "class 2"], fontsize=13)
lines = [f"{10 * x[0] + x[1]} → {spelt(y)}" for x, y in zip(language.support_x, language.support_y, strict=True)]
right.text(0.05, 0.5, "\n".join(lines), fontsize=15, va="center", linespacing=1.8)
left.set_title("How high is the wave at x?", fontsize=14)
middle.set_title("Which class is this picture?", fontsize=14)
right.set_title("How is the number spelt?", fontsize=14)
right.axis("off")
middle.set_xticks([])
plt.show()

# %% [markdown]
# **Explain.** A sample has two halves: $x$, what is given, and $y$, what is asked for. The pictures alone are no task.
# They become one when somebody says what is asked about them.
#
# A **family** draws many such tasks: many waves, many choices of digits, many languages. One draw of a task, with its
# two sets, is an **episode** (情节). In classification two numbers say how large it is:
#
# | word | means |
# |---|---|
# | n_way | how many classes the task has |
# | n_shot | how many samples *of each class* the support set holds |
# | support set | studied: its answers are shown |
# | query set | answered: its answers are used only to judge |
#
# The middle task is 3-way 5-shot. Let its query set be as large as its support set.

# %%
predict("03.pictures", "How many pictures has the whole episode?", ["8", "15", "30"])

# %%
episode = Digits(n_way=3).sample(1, n_shot=5, rng=rng)[0].episode
sizes = len(episode.support_x), len(episode.query_x)
print(f"support {sizes[0]} pictures, query {sizes[1]}, together {sum(sizes)}")
print("the support set's answers:", episode.support_y.tolist())
outcome("03.pictures", str(sum(sizes)))

# %% [markdown]
# **Explain.** $3 \times 5 = 15$ to study and 15 to answer. No picture is in both sets. Otherwise one could answer
# without having learned anything: one would only remember.
#
# Note the answers: 0, 1 and 2, not the digits. Which digit is called 0 is this task's own business.

# %% [markdown]
# ## A family of your own, in ten lines
#
# Take the ten digits. A question says "yes" to five of them, and "no" to the other five. *Is it odd?* is such a
# question. *Is it larger than 4?* is another one. First the pictures, and all such questions:

# %%
from itertools import combinations

from sklearn.datasets import load_digits


def pictures(first, each):  # from picture number `first` on, this many of every digit, digit by digit
    data = load_digits()
    rows = [row + first for d in range(10) for row in (data.target[first:] == d).nonzero()[0][:each]]
    return torch.tensor(data.images[rows], dtype=torch.float32)[:, None] / 16


def answers():  # one row a question: its answer for each of the ten digits
    return torch.tensor([[digit in five for digit in range(10)] for five in combinations(range(10), 5)]).long()


print(f"{len(answers())} questions, and {len(pictures(0, 60))} pictures for all of them")

# %% [markdown]
# Now the family. `OwnTasks` takes two arrays: `x[i]` are the inputs of task i, `y[i]` are its answers. Every one of
# these 252 tasks has **the same 600 pictures**. Only the answers differ.

# %% tags=["step-0"]
from taskembed_edu import MetricLab, OwnTasks


def questions():
    x = pictures(0, 60).expand(252, 600, 1, 8, 8)
    y = answers().repeat_interleave(60, dim=1)
    names = [f"yes to {five}" for five in combinations(range(10), 5)]
    return OwnTasks(x, y, names=names, label="Questions about digits", n_shot=30)


lab = MetricLab(questions(), loss="triplet", learning_rate=0.003, batch=32, hidden=64, seed=0)
lab

# %% [markdown]
# Press **Play**, and watch recall@1 for a minute. Each point is one question, and none of these questions is trained
# on. Click one: its card names the digits to which it says "yes", and shows some pictures.
#
# ## A task embedding is not a feature embedding
#
# The document's question 1 asks for the difference, and answers: one is about tasks, the other about samples. That is
# right, and easy to nod at. Here is a case where it decides everything.
#
# Two tasks: *odd?* and *larger than 4?*, asked of the same pictures. Each task gets two vectors:
#
# - the **mean feature**: a trained network's own vector of a picture, averaged over the pictures;
# - the **task vector**: what the trained network makes of the pictures *and* their answers.

# %%
odd, large = torch.arange(10) % 2 == 1, torch.arange(10) > 4
figure, axes = plt.subplots(2, 10, figsize=(13, 3.4), layout="constrained")
for row, (question, yes) in enumerate({"odd?": odd, "larger than 4?": large}.items()):
    for ax, picture, says in zip(axes[row], pictures(800, 1), yes, strict=True):
        ax.imshow(picture[0], cmap="gray_r")
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel("yes" if says else "no", fontsize=14, color="#0072b2" if says else "#b34700")
    axes[row, 0].set_ylabel(question, fontsize=14)
plt.show()
predict(
    "03.apart",
    "Which vector tells these two tasks apart?",
    ["mean feature", "task vector", "both", "neither"],
)

# %% [markdown]
# The experiment: train the lab's network. Then take 51 questions that training never saw, and ask them all of the same
# 200 pictures, which training never saw either. Then the same once more with 200 other pictures.

# %%
from taskembed_edu import MetricEmbedder, MetricSettings, pairwise_distances, recall_at_k


def two_vectors(encoder, asked, first):
    x = pictures(first, 20)
    with torch.no_grad():
        mean_feature = encoder.features.features(x).mean(dim=0).expand(len(asked), -1)  # no answer stands in this line
        task_vector = encoder(x.expand(len(asked), *x.shape), asked.repeat_interleave(20, dim=1))
    return {"mean feature": mean_feature, "task vector": task_vector}


def same_pictures(seed, steps=150):
    rng = torch.Generator().manual_seed(seed)
    train, validation, unseen = questions().split(rng)
    embedder, settings = MetricEmbedder(), MetricSettings(loss="triplet", learning_rate=0.003, batch=32, hidden=64)
    state = embedder.begin(train, validation.sample(5, rng=rng), settings, rng)
    found = {}
    for after in (0, steps):
        for _ in range(after):
            embedder.step(state, settings)
        some, others = (two_vectors(state.encoder, answers()[list(unseen.part)], first) for first in (800, 1300))
        for name, vectors in some.items():
            apart = pairwise_distances(vectors, vectors)
            found[f"{name}: same pictures, another question"] = float(apart.sum() / (len(apart) * (len(apart) - 1)))
            found[f"{name}: other pictures, same question"] = float((vectors - others[name]).norm(dim=1).mean())
            found[f"{name}: recall@1 after {after} steps"] = recall_at_k(others[name], vectors)[1]
    return found


mine = same_pictures(0)
apart = {name: mine[f"{name}: same pictures, another question"] > 0 for name in ("mean feature", "task vector")}
display(
    over_seeds(
        "03.apart",
        same_pictures,
        mine,
        ("mean feature: same pictures, another question", 0, 0),
        ("mean feature: other pictures, same question", 0.005, 0.06),
        ("task vector: same pictures, another question", 5, 9),
        ("task vector: other pictures, same question", 0.8, 2.6),
    ),
    outcome("03.apart", apart),
)

# %% [markdown]
# **Explain.** The mean feature of all 51 tasks is one and the same point, to the last digit: its formula holds the
# pictures and nothing else. No better network for pictures can change that. It calls two tasks equal when their
# *pictures* are equal. The task vector reads the answers too, and says the opposite: other pictures and the same
# question are near, the same pictures and another question are far.
#
# Is it good enough to find a question again? Take the vector of each question from the second 200 pictures. Of the 51
# vectors from the first 200 pictures, is its own question's the nearest one? By chance, 1 in 51 is.

# %%
predict("03.found", "How many questions are found again by the task vector?", ["about 1 in 51", "about half", "most"])

# %%
trained = mine["task vector: recall@1 after 150 steps"]
found = {"about 1 in 51": trained < 0.1, "about half": 0.4 < trained < 0.6, "most": trained > 0.6}
display(
    over_seeds(
        "03.found",
        same_pictures,
        mine,
        ("mean feature: recall@1 after 150 steps", 0.019, 0.020),
        ("task vector: recall@1 after 0 steps", 0, 0.3),
        ("task vector: recall@1 after 150 steps", 0.75, 1),
    ),
    outcome("03.found", found),
)

# %% [markdown]
# **Explain.** The mean feature finds exactly 1 in 51: all its points are one, so every guess is as good as another.
# Reading the answers is not enough either: look at the untrained network. Training makes the difference. And it was
# trained on other questions: what it has learned is *how to read a question* from pictures and answers.
#
# | | takes in | two tasks are near when |
# |---|---|---|
# | mean feature | the pictures | the pictures are alike |
# | task vector | pictures with their answers | the questions are alike |

# %% [markdown]
# ## What training tasks and never-seen tasks may share
#
# A score on tasks that were trained on may only show what was learned by heart. So a family is split into three parts:
# training, validation (what the lab's map shows) and never-seen tasks. Here is the split of the package's own digit
# family, in which a task is a choice of three digits.

# %%
predict(
    "03.split",
    "What is new in a never-seen task of three digits?",
    ["its digits", "which digits come together", "nothing but the pictures"],
)

# %%
train, _validation, unseen = (part.part for part in Digits().split(torch.Generator().manual_seed(0)))
shared_sets = set(train.class_sets) & set(unseen.class_sets)
shared_pictures = {p for of in train.images for p in of} & {p for of in unseen.images for p in of}
shared_digits = {d for s in train.class_sets for d in s} & {d for s in unseen.class_sets for d in s}
print(f"choices of digits: {len(train.class_sets)} for training, {len(unseen.class_sets)} never seen")
print(f"shared: {len(shared_sets)} choices, {len(shared_pictures)} pictures, {len(shared_digits)} of the ten digits")
split = {"its digits": not shared_digits, "nothing but the pictures": bool(shared_sets)}
outcome("03.split", {**split, "which digits come together": bool(shared_digits) and not shared_sets})

# %% [markdown]
# **Explain.** No choice of digits and no picture stands in two parts. Single digits do: training has seen a 4, only
# never in this company. So "never seen" must always be said in full: which part of the task is new? A network that does
# well here may still fail on a letter.
#
# In a family of your own you decide. `OwnTasks` keeps whole *questions* apart. It cannot know that ours share their
# pictures. That is why our experiment took other pictures.

# %% [markdown]
# ## Further: when a mean feature is enough
#
# In the package's digit family a task is a choice of digits *and* an angle by which its pictures are turned. Then the
# pictures give the task away. Here is the plain mean picture of each task, with no network at all:

# %%
rng = torch.Generator().manual_seed(0)
turned = Digits().split(rng).unseen
tasks = turned.sample(100, n_shot=5, rng=rng)
again = turned.redraw(tasks, rng)
mean_picture, mean_again = (each.support_x.mean(dim=1).flatten(1) for each in (tasks, again))
recall = recall_at_k(mean_again, mean_picture)[1]
expected(("turned digits: recall@1 of the mean picture (by chance: 0.01)", recall, 0.65, 0.90))

# %% [markdown]
# **Explain.** Far above chance, without one answer. A benchmark in which the inputs alone betray the task cannot show
# that an embedding has understood the question. Ask of every result: would the mean feature have done it?

# %% [markdown]
# ## Three things to try
#
# In the lab above. Each time: predict first.
#
# 1. Set *Shots* to 3, *Reset*, *Play*. Now a set holds three pictures of each class.
# 2. *Loss* Contrastive, *Reset*, *Play*.
# 3. In the family's two cells, ask rarer questions. Write `combinations(range(10), 3)`, twice, and 120 for 252. There
#    are 120 questions that say "yes" to three digits. (Afterwards undo it with *Ctrl+Z*, and run the cells again.)
#
# <details><summary>What is to be seen</summary>
#
# 1. Recall@1 stays near chance (0 to 0.08 in 200 steps). Three pictures of a class show at most three of its five
#    digits: the set does not say which question it is.
# 2. It learns too, and finds fewer questions again: after 200 steps 0.46 and 0.64 with seeds 0 and 1, where the
#    triplet loss has 0.76 and 0.78.
# 3. The map now has 24 questions, and recall@1 reaches 0.92 in 200 steps. There are fewer to confuse.
# </details>
#
# ## Exercises
#
# **1.** An episode is 5-way 3-shot, and its query set has 10 samples of each class. How many samples has the query set?
#
# **2.** Deal an episode. `rows` holds a list of row numbers for each class. Give two lists: the support set, which is
# the first `n_shot` rows of every class, and the query set, which is all other rows, class by class.

# %%
# solution
my_samples = 5 * 10
# stub
# my_samples = None  # 1. put your number in place of None, and run the cell again
# end


def my_episode(rows, n_shot):
    # solution
    support = [row for of_class in rows for row in of_class[:n_shot]]
    query = [row for of_class in rows for row in of_class[n_shot:]]
    return support, query
    # stub
    # return None  # 2. put your two lists in place of None
    # end


display(check("03.query_samples", my_samples), check("03.episode", my_episode))

# %% [markdown]
# **3. An open investigation.** Make a family of your own, of at least 50 tasks, and train a lab on it so that recall@1
# rises by at least 0.3 and ends above 0.5. Any data will do: parabolas, noise with a pattern, your own measurements.

# %%
# solution
x = torch.linspace(-2, 2, 40).expand(300, 40)
a, b, c = 2 * torch.rand(3, 300, 1, generator=torch.Generator().manual_seed(0)) - 1
my_lab = MetricLab(OwnTasks(x[..., None], a * x**2 + b * x + c, label="Parabolas"), seed=0)
my_lab.session.step(100)
# stub
# my_lab = None  # for example MetricLab(OwnTasks(x, y)); train it with its panel, or my_lab.session.step(100)
# end
display(check("03.own_family", my_lab), tally("03"))

# %% [markdown]
# ## What to remember
#
# - A task (任务) is a data set with a question: inputs and answers. The inputs alone are none.
# - n_way classes, n_shot samples of each in the support set (支持集); the query set (查询集) shares none of them.
# - The same pictures with another question are another task. A mean feature cannot see that; a task embedding must.
# - Always ask whether the inputs alone would have given the task away.
# - "Never seen" needs a second half: never seen *what*?
#
# Next: [04 Metric-based embedding](04_metric_based_embedding.ipynb).
#
# ## Sources
#
# - O. Vinyals and others, *Matching Networks for One Shot Learning*, 2016: episodes, n-way and n-shot.
# - J. Snell, K. Swersky and R. Zemel, *Prototypical Networks for Few-shot Learning*, 2017: a support and a query set.
# - M. Zaheer and others, *Deep Sets*, 2017: a network that reads a set, whatever its order.
# - A. Achille and others, *Task2Vec: Task Embedding for Meta-Learning*, 2019: a task's vector depends on
#   the labels, not on the inputs alone.
# - E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, 1998: the pictures.
