% Runs << "forward" if optimizer else "forward and backward" >> on every case, and saves the answers. For MATLAB and GNU Octave.
folder = fullfile(fileparts(mfilename('fullpath')), '..');
if ~exist(fullfile(folder, 'answers'), 'dir')
    mkdir(fullfile(folder, 'answers'));
end
cases = dir(fullfile(folder, 'cases', '*.mat'));
for number = 1:numel(cases)
    given = load(fullfile(folder, 'cases', cases(number).name));
    answer = struct();
<% if optimizer %>
    answer.weights = forward(<% for name in arguments %>given.<< name >><% if not loop.last %>, <% endif %><% endfor %>);
<% else %>
    answer.y = forward(<% for name in arguments %>given.<< name >><% if not loop.last %>, <% endif %><% endfor %>);
    [<% for name in gradients %>answer.<< name >><% if not loop.last %>, <% endif %><% endfor %>] = backward(<% for name in arguments %>given.<< name >>, <% endfor %>given.g);
<% endif %>
    save(fullfile(folder, 'answers', cases(number).name), '-struct', 'answer', '-v6');
end
