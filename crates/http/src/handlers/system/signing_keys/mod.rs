pub(crate) mod rotate;
