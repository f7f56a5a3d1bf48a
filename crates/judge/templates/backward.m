function [<< gradients|join(", ") >>] = backward(<< arguments|join(", ") >>, g)
% The gradients of the loss, of which g is the gradient with respect to the output.
    error('write this function');
end
