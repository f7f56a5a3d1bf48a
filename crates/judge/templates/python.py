<% if functions %>
"""<< title >>, with one fault in the backward pass: the task is in BROKEN.md."""
<% else %>
"""<< title >>: the task is in README.md. Write the functions, and run this file with Python and NumPy."""
<% endif %>

from pathlib import Path

import numpy as np

<% if functions %>
<< functions >>
<% elif optimizer %>

def steps(<< arguments|join(", ") >>):
    """Returns the weights after each step, in the shape of `gradients`."""
    raise NotImplementedError
<% else %>

def forward(<< arguments|join(", ") >>):
    """Returns y."""
    raise NotImplementedError


def backward(<< arguments|join(", ") >>, g):
    """Returns << gradients|join(", ") >>."""
    raise NotImplementedError
<% endif %>


def main():
    folder = Path(__file__).resolve().parent.parent
    (folder / "answers").mkdir(exist_ok=True)
    for path in sorted((folder / "cases").glob("*.npz")):
        case = dict(np.load(path))
        arguments = [
<% for tensor in tensors %>
            case["<< tensor.name >>"],
<% endfor %>
<% for option in options %>
<% if option.kind == "pair" %>
            tuple(int(number) for number in case["<< option.name >>"]),
<% elif option.kind == "whole" %>
            int(case["<< option.name >>"]),
<% elif option.kind == "flag" %>
            bool(case["<< option.name >>"]),
<% elif option.kind == "real" %>
            float(case["<< option.name >>"]),
<% else %>
            case["<< option.name >>"],
<% endif %>
<% endfor %>
        ]
<% if optimizer %>
        answers = {"weights": steps(*arguments)}
<% else %>
        answers = {"y": forward(*arguments)}
        try:
            gradients = backward(*arguments, case["g"])
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            answers.update(zip(<< gradients_literal >>, gradients))
        except NotImplementedError:
            print(f"{path.stem}: the backward is not written yet")
<% endif %>
        np.savez(folder / "answers" / path.name, **answers)


if __name__ == "__main__":
    main()
