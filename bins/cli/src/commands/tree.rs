use super::{ls, path};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::terminal::{Style, Terminal};
use clap::Args;
use futures_util::TryStreamExt;
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_api::Secret;

/// How wide a branch is: the widest with which the deepest name still has its room.
const BRANCHES: [usize; 3] = [4, 2, 1];
/// How much of a name a line has at the least, however deep it is.
const LEAST: usize = 8;
/// What stands for branches further left than the terminal has room for.
const LEFT_OUT: char = '…';

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
    let secrets = context.secrets().await?;
    let mut listed = secrets.list(&args.directory);
    let mut root = Node::default();
    while let Some(secret) = listed.try_next().await? {
        root.add(&args.directory, &secret);
    }
    let mut heading = args.directory;
    if root.children.is_empty() && heading != "/" {
        let secret = ls::itself(&secrets, &heading).await?;
        root.version = Some(secret.current_version);
        heading = secret.path;
    }
    let terminal = context.terminal;
    let depth = args.depth.unwrap_or(u32::MAX);
    if terminal.json {
        root.cut(depth);
        return output::json(terminal, &root);
    }
    let mut text = String::new();
    let width = if terminal.stdout { terminal.width.into() } else { usize::MAX };
    let fits = |branch: &usize| root.levels(depth) * branch + LEAST <= width;
    let branch = BRANCHES.into_iter().find(fits).unwrap_or(1);
    let canvas = Canvas { style: terminal.on_stdout(), width, branch };
    canvas.write(&mut text, ["", ""], &heading, &root);
    root.draw(&mut text, "", depth, canvas);
    output::text(&text)
}

/// Where it is drawn.
#[derive(Clone, Copy)]
struct Canvas {
    style: Style,
    /// In columns.
    width: usize,
    /// The columns of a branch.
    branch: usize,
}

impl Canvas {
    /// Writes a name and the node's version behind `before` and, where it goes on in further lines, behind `below`.
    fn write(self, text: &mut String, [mut before, below]: [&str; 2], name: &str, node: &Node) {
        let mut rest: Vec<char> = Terminal::one_line(name).chars().collect();
        let version = node.version.map(|version| format!("  v{version}")).unwrap_or_default();
        let room = self.width.saturating_sub(below.chars().count()).max(LEAST);
        loop {
            let is_last = rest.is_empty() || rest.len() + version.len() <= room;
            let part: String = rest.drain(..rest.len().min(room)).collect();
            let part = if name.ends_with('/') { self.style.directory(&part) } else { part };
            let version = if is_last { self.style.faint(&version) } else { String::new() };
            text.push_str(&format!("{before}{part}{version}\n"));
            if is_last {
                return;
            }
            before = below;
        }
    }

    /// As much of an indent as leaves room for a name: its right end.
    fn cut(self, indent: &str) -> String {
        let (has, most) = (indent.chars().count(), self.width.saturating_sub(self.branch + LEAST));
        if has <= most {
            return indent.to_owned();
        }
        let kept = indent.chars().skip(has - most.saturating_sub(1));
        core::iter::once(LEFT_OUT).chain(kept).collect()
    }
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

    /// How many levels of that depth there are.
    fn levels(&self, depth: u32) -> usize {
        let Some(depth) = depth.checked_sub(1) else { return 0 };
        self.children.values().map(|child| 1 + child.levels(depth)).max().unwrap_or_default()
    }

    fn cut(&mut self, depth: u32) {
        match depth.checked_sub(1) {
            Some(depth) => self.children.values_mut().for_each(|child| child.cut(depth)),
            None => self.children.clear(),
        }
    }

    /// A name that is too long for the terminal goes on in the next line, below where it begins.
    fn draw(&self, text: &mut String, indent: &str, depth: u32, canvas: Canvas) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let mut rest = self.children.len();
        let shown = canvas.cut(indent);
        for (name, child) in &self.children {
            rest -= 1;
            let (branch, below) = if rest == 0 { ("└── ", "    ") } else { ("├── ", "│   ") };
            let [branch, below] = [branch, below].map(|part| part.chars().take(canvas.branch).collect::<String>());
            let slash = if child.children.is_empty() { "" } else { "/" };
            let (first, others) = (format!("{shown}{branch}"), format!("{shown}{below}"));
            canvas.write(text, [&first, &others], &format!("{name}{slash}"), child);
            child.draw(text, &format!("{indent}{below}"), depth, canvas);
        }
    }
}
