"""What every floor uses: settings, checks of arguments, memory. It knows numbers and words, nothing of the course."""
