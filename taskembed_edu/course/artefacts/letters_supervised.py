"""Features of letters, learned by naming all letters of training, from as many pictures as `letters`."""

from taskembed_edu.course.artefacts.letters import recipe_of

RECIPE = recipe_of("classes", "features of letters, learned by naming all letters of training")
