//! The rules of `[optimizer]`.

use crate::config::check::Fault;
use crate::config::record::Record;
use crate::config::suggest;
use crate::{Experiment, OptimizerKind, ParameterGroup, ParameterName, Schedule, UpdateRule, counted};

pub(super) fn check(experiment: &Experiment, record: &Record, faults: &mut Vec<Fault>) {
    let optimizer = &experiment.optimizer;
    check_rule(&optimizer.rule, experiment.training.iterations, record, faults);
    for (group, table) in optimizer.groups.iter().zip(record.tables("groups")) {
        check_rule(&group.rule, experiment.training.iterations, table, faults);
        check_frozen(group, table, faults);
    }
    // A network whose shapes do not fit has no parameters to speak of, and is told of as that.
    let Ok(names) = experiment.model.parameter_names() else { return };
    check_patterns(experiment, &names, record, faults);
    check_muon(experiment, &names, record, faults);
}

fn check_rule(rule: &UpdateRule, iterations: usize, record: &Record, faults: &mut Vec<Fault>) {
    if let OptimizerKind::Sgd { momentum, dampening, nesterov: true } = rule.kind
        && (momentum == 0.0 || dampening > 0.0)
    {
        let message = "nesterov = true needs a momentum above 0 and a dampening of 0";
        faults.push(Fault::new(message, record.span_of("nesterov")));
    }
    if rule.warmup > 0 && matches!(rule.schedule, Schedule::OneCycle { .. }) {
        let message = "`warmup` has no place before `schedule = \"one-cycle\"`, which begins with a rise".to_owned();
        let help = "leave out `warmup`; `rise` says how long the rise is";
        faults.push(Fault::new(message, record.span_of("warmup")).help(help));
    }
    if rule.warmup > iterations {
        let message =
            format!("warmup = {} is more than the {} of the run", rule.warmup, counted(iterations, "iteration"));
        faults.push(Fault::new(message, record.span_of("warmup")));
    }
}

fn check_frozen(group: &ParameterGroup, record: &Record, faults: &mut Vec<Fault>) {
    if let (Some(from), Some(until)) = (group.frozen_from, group.frozen_until)
        && from <= until
    {
        let message = format!("frozen until {until} and frozen from {from} is frozen always");
        faults.push(Fault::new(message, record.span_of("frozen_until")).help("for that, write `frozen_from = 0`"));
    }
}

/// Each pattern has to be one, and to name something.
fn check_patterns(experiment: &Experiment, names: &[ParameterName], record: &Record, faults: &mut Vec<Fault>) {
    for (group, table) in experiment.optimizer.groups.iter().zip(record.tables("groups")) {
        for (text, pattern) in group.patterns() {
            let span = table.span_of("parameters");
            let fault = match pattern {
                Err(error) => Fault::new(format!("`{text}` is not a pattern: {}", error.msg), span),
                Ok(pattern) if !names.iter().any(|parameter| pattern.matches(&parameter.name)) => {
                    let names: Vec<&str> = names.iter().map(|parameter| parameter.name.as_str()).collect();
                    let help =
                        suggest::nearest(text, &names).unwrap_or_else(|| suggest::list("its parameters", &names));
                    let message = format!("`{}` has no parameter that `{text}` stands for", experiment.model.name);
                    Fault::new(message, span).help(help)
                }
                Ok(_) => continue,
            };
            faults.push(fault);
        }
    }
}

/// Muon is for matrices.
fn check_muon(experiment: &Experiment, names: &[ParameterName], record: &Record, faults: &mut Vec<Fault>) {
    let optimizer = &experiment.optimizer;
    for ParameterName { name, .. } in names.iter().filter(|parameter| !parameter.is_matrix) {
        let group = optimizer.groups.iter().rposition(|group| group.has(name));
        let (rule, table) = match group {
            Some(group) => (&optimizer.groups[group].rule, &record.tables("groups")[group]),
            None => (&optimizer.rule, record),
        };
        if matches!(rule.kind, OptimizerKind::Muon { .. }) {
            let message = format!("muon is for weights that are matrices, and `{name}` is a vector");
            let help = match group {
                Some(_) => "narrow the patterns of this group, `*conv*.weight` for example",
                None => {
                    "let [optimizer] have another kind, and muon be that of a group: \
                         `[[optimizer.groups]]` with `parameters = \"*conv*.weight\"` and `kind = \"muon\"`"
                }
            };
            faults.push(Fault::new(message, table.span_of("kind")).help(help));
            return;
        }
    }
}
