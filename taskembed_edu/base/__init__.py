"""What every floor uses: settings, argument checks, memory. It imports no other floor."""
