use super::path;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::terminal::{Style, Terminal};
use clap::Args;
use futures_util::TryStreamExt;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_api::Secret;

/// How wide a branch is.
const BRANCH: usize = 4;
/// How much of a name a line has at the least, however deep it is.
const LEAST: usize = 8;

/// Show directories and secrets as a tree
#[derive(Args)]
pub(crate) struct TreeArgs {
    /// The directory to begin at
    #[arg(value_name = "DIR", default_value = "/", value_parser = path::directory)]
    directory: String,
    /// How many levels to show [default: all]
    #[arg(long, short, value_name = "LEVELS", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
}

pub(crate) async fn run(args: TreeArgs, context: &Context) -> Result<(), Failure> {
    let mut secrets = context.secrets().await?.list(&args.directory);
    let mut root = Node::default();
    while let Some(secret) = secrets.try_next().await? {
        root.add(&args.directory, &secret);
    }
    let terminal = context.terminal;
    let depth = args.depth.unwrap_or(u32::MAX);
    if terminal.json {
        root.cut(depth);
        return output::json(terminal, &root);
    }
    let mut text = terminal.on_stdout().directory(&Terminal::one_line(&args.directory)) + "\n";
    let width = if terminal.stdout { usize::from(terminal.width) } else { usize::MAX };
    root.draw(&mut text, "", depth, (terminal.on_stdout(), width));
    output::text(&text)
}

/// A name in the tree: a secret, a directory, or both.
#[derive(Default, Serialize)]
struct Node {
    /// Of a secret its current version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    children: BTreeMap<String, Node>,
}

impl Node {
    fn add(&mut self, directory: &str, secret: &Secret) {
        let below = secret.path.strip_prefix(directory).unwrap_or(&secret.path);
        let mut node = self;
        for name in below.split('/') {
            node = node.children.entry(name.to_owned()).or_default();
        }
        node.version = Some(secret.current_version);
    }

    fn cut(&mut self, depth: u32) {
        match depth.checked_sub(1) {
            Some(depth) => self.children.values_mut().for_each(|child| child.cut(depth)),
            None => self.children.clear(),
        }
    }

    /// A name that is too long for the terminal goes on in the next line, below where it begins.
    fn draw(&self, text: &mut String, indent: &str, depth: u32, (style, width): (Style, usize)) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let mut rest = self.children.len();
        for (name, child) in &self.children {
            rest -= 1;
            let (branch, below) = if rest == 0 { ("└── ", "    ") } else { ("├── ", "│   ") };
            let mut rest_of_name: Vec<char> = Terminal::one_line(name).chars().collect();
            if !child.children.is_empty() {
                rest_of_name.push('/');
            }
            let version = child.version.map(|version| format!("  v{version}")).unwrap_or_default();
            let room = width.saturating_sub(indent.chars().count() + BRANCH).max(LEAST);
            let mut before = branch;
            loop {
                let is_last = rest_of_name.is_empty() || rest_of_name.len() + version.len() <= room;
                let part: String = rest_of_name.drain(..rest_of_name.len().min(room)).collect();
                let part = if child.children.is_empty() { part } else { style.directory(&part) };
                let version = if is_last { style.faint(&version) } else { String::new() };
                text.push_str(&format!("{indent}{before}{part}{version}\n"));
                if is_last {
                    break;
                }
                before = below;
            }
            child.draw(text, &format!("{indent}{below}"), depth, (style, width));
        }
    }
}
