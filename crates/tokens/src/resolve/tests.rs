//! Every form of credential, in every state.
