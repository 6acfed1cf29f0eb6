mod answers;
mod browse;
mod keys;
mod secrets;
mod setup;
mod tenancy;
mod tokens;
