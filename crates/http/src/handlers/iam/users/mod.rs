pub(crate) mod create;
pub(crate) mod delete_token;
pub(crate) mod get;
pub(crate) mod issue_token;
pub(crate) mod list;
pub(crate) mod list_tokens;
