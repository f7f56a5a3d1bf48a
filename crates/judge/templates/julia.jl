# << title >>: the task is in README.md. Write the functions, and run this file with Julia. It needs no package.
#
# Axes are those of README.md: `x[n, c, i, j]`, from 1 on. What is a single number or a vector there is one here.

<% if optimizer %>
"Returns the weights after each step, in the shape of `gradients`."
function steps(<< arguments|join(", ") >>)
    error("write this function")
end
<% else %>
"Returns y."
function forward(<< arguments|join(", ") >>)
    error("write this function")
end

"Returns << gradients|join(", ") >>, with a comma behind a single one."
function backward(<< arguments|join(", ") >>, g)
    error("write this function")
end
<% endif %>

const FOLDER = joinpath(@__DIR__, "..")

"The file has the last axis as the fastest, and Julia the first."
function read_array(case, name, dims)
    numbers = reinterpret(Float64, read(joinpath(FOLDER, "cases", case, name * ".f64")))
    isempty(dims) && return numbers[1]
    array = reshape(collect(ltoh.(numbers)), reverse(dims)...)
    return permutedims(array, length(dims):-1:1)
end

function write_array(case, name, array)
    array = Float64.(array)
    array = array isa Number ? [array] : permutedims(array, ndims(array):-1:1)
    mkpath(joinpath(FOLDER, "answers", case))
    write(joinpath(FOLDER, "answers", case, name * ".f64"), htol.(vec(collect(array))))
end

const CASES = [
<% for case in cases %>
    ("<< case.name >>", [<% for array in case.given %>("<< array.name >>", Int[<< array.dims|join(", ") >>])<% if not loop.last %>, <% endif %><% endfor %>]),
<% endfor %>
]

for (case, arrays) in CASES
    given = [read_array(case, name, dims) for (name, dims) in arrays]
<% if optimizer %>
    write_array(case, "weights", steps(given...))
<% else %>
    # The last one is g.
    write_array(case, "y", forward(given[1:end-1]...))
    for (name, gradient) in zip(<< gradients_literal >>, backward(given...))
        write_array(case, name, gradient)
    end
<% endif %>
end
