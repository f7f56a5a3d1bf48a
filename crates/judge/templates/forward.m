<% if optimizer %>
function weights = forward(<< arguments|join(", ") >>)
% The weights after each step, in the shape of `gradients`: weights(t, :) after step t.
    error('write this function');
<% else %>
function y = forward(<< arguments|join(", ") >>)
% The output. The task is in README.md.
    error('write this function');
<% endif %>
end
