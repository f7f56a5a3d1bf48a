//! Tests that need what a machine may lack. Where it does, a test shows as ignored with the reason; `.ci/ignored` lists
//! those that CI may ignore. A test that is not in the list here is unused code, which the compiler tells.

#![allow(clippy::print_stdout, reason = "figures of a test are shown with it")]

mod backends;
mod browser;
#[cfg(target_os = "linux")]
mod cluster;
mod environments;
mod export;
#[cfg(target_os = "linux")]
mod hyperqueue;
mod instructions;
mod judge;
mod latex;
mod needs;
#[cfg(target_os = "linux")]
mod permissions;
mod python;
#[cfg(target_os = "linux")]
mod slurm;
#[cfg(target_os = "linux")]
mod storage;

use std::process::ExitCode;

use backproof_tests::trial;
use libtest_mimic::{Arguments, Trial};

/// Trials, each as `need: module::test`.
macro_rules! trials {
    ($($need:ident: $module:ident :: $test:ident,)*) => {
        vec![$(trial(concat!(stringify!($module), "::", stringify!($test)), needs::$need(), $module::$test)),*]
    };
}

fn main() -> ExitCode {
    #[allow(unused_mut, reason = "on Windows nothing is added")]
    let mut trials: Vec<Trial> = trials! {
        backends: backends::twenty_steps_from_one_seed_give_the_losses_of_flex,
        backends: backends::gradients_are_proven_on_every_backend_and_burns_gelu_is_found_out,
        instruction_sets: instructions::a_run_that_goes_on_with_another_set_agrees_within_rounding,
        data: environments::two_processes_share_a_data_folder,
        browser: browser::axe_finds_no_violation_in_any_page,
        browser: browser::an_explanation_is_right_and_can_be_touched,
        numpy: judge::a_backward_in_numpy_that_is_broken_gets_the_name_of_its_fault,
        latex: latex::every_table_and_figure_compiles_whatever_classes_are_called,
        octave: judge::a_convolution_in_octave_is_right_and_a_flipped_kernel_is_named,
        onnx_runtime: export::onnx_runtime_computes_the_logits_of_every_network_and_every_layer,
        onnx_runtime: export::a_picture_has_the_probabilities_of_predict_in_onnx_runtime,
        torch: export::pytorch_computes_the_logits_of_every_network_and_every_layer,
        torch: python::pytorch_computes_the_same_logits_and_its_weights_come_back,
    };
    #[cfg(unix)]
    trials.extend(trials! {
        kubernetes: python::the_kubernetes_job_fits_the_schemas_of_kubernetes,
        python: python::a_python_without_torch_says_how_to_get_it,
    });
    #[cfg(target_os = "linux")]
    trials.extend(trials! {
        another_user: environments::another_user_trains_in_a_folder_of_their_own,
        another_user: permissions::what_another_user_may_not_read_is_told_with_its_cause,
        another_user: permissions::what_another_user_may_not_write_is_told_with_its_cause,
        compiler: environments::a_clock_that_jumps_changes_no_number,
        namespaces: storage::a_full_disk_is_told_and_with_room_the_run_goes_on_exactly,
        namespaces: storage::a_read_only_run_folder_is_told_and_stays_as_it_is,
        namespaces: storage::a_read_only_source_tree_is_no_hindrance,
        slurm: slurm::a_task_whose_node_dies_ends_on_another_node_as_if_nothing_had_happened,
        slurm: slurm::a_task_at_its_time_limit_saves_checkpoints_and_goes_on_and_so_does_a_cancelled_one,
        slurm: slurm::a_task_ends_with_the_exit_code_of_the_sweep,
        hyperqueue: hyperqueue::a_task_whose_worker_dies_ends_on_another_one_as_if_nothing_had_happened,
        hyperqueue: hyperqueue::a_task_that_is_cancelled_is_submitted_again_and_goes_on,
        namespaces: storage::nothing_but_fetching_data_needs_a_network,
    });
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
