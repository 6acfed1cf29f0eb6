pub(crate) mod get;
pub(crate) mod list;

use strongroom::Target;
use strongroom_domain::audit::Action;

/// Reading regions leaves no record; the refusal of a credential does.
const DISCOVERY: Target<'static> = Target { action: Action::AuthFailure, resource: None };
