"""What runs in the processes of workers, by their interpreters: it knows nothing of the rest."""
