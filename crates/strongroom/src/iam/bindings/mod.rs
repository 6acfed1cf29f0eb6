//! Bindings of roles.

mod create;
mod delete;
mod list;
mod view;

pub use create::{CreateBinding, NewBinding};
pub use delete::DeleteBinding;
pub use view::{BindingView, BoundView};
