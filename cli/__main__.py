"""`python -m cli`: the same as the command `amaan`, from the folder of the project."""

from cli import main

main()
