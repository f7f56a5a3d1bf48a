//! The arguments of `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::places::Places;

#[derive(Debug, Args)]
pub struct DataArguments {
    #[command(subcommand)]
    pub command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the data sets: classes, images, and whether they are here
    List(DataListArguments),
    /// Download data sets and verify them
    ///
    /// Without a name, all of them: 1.2 GB. The splits of EMNIST come in one archive, which stays for the others.
    Fetch(DataNames),
    /// Compare the files of data sets with the published checksums
    ///
    /// Without a name, those that are here. Files of another version, such as the pickles of CIFAR-10 that torchvision
    /// and Keras unpack, are compared by the content that they hold.
    Verify(DataNames),
    /// Print the folders of data sets
    Path(DataNames),
    /// Write a data set as a folder of images, in the layout that `train --images` reads
    ///
    /// The folder gets train/CLASS/*.png, test/CLASS/*.png and, if the data set has a validation part, validation too.
    /// Training on the folder gives the same numbers as training on the data set.
    Export(DataExportArguments),
}

#[derive(Debug, Args)]
pub struct DataListArguments {
    #[command(flatten)]
    pub places: Places,
}

#[derive(Debug, Args)]
pub struct DataExportArguments {
    #[arg(help = export_names())]
    pub name: String,
    /// New folder for the images
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub places: Places,
}

fn export_names() -> String {
    let names: Vec<&str> = backproof_data::sources().iter().map(|source| source.name()).collect();
    names.join(", ")
}

/// The data sets that are files: what `data` is about.
fn data_set_names() -> String {
    let files = backproof_data::sources().iter().filter(|source| source.published().is_some());
    let names: Vec<&str> = files.map(|source| source.name()).collect();
    format!("{}; without a name, all of them", names.join(", "))
}

#[derive(Debug, Args)]
pub struct DataNames {
    #[arg(help = data_set_names())]
    pub names: Vec<String>,
    #[command(flatten)]
    pub places: Places,
}
