-- What has been reserved of the quotas of model providers, by the workers of all tenants: an account has one for each model.
CREATE TABLE aquifer.quotas (
  -- A hash of provider, address and model.
  key text PRIMARY KEY,
  -- From here on nothing is reserved yet.
  free_at timestamptz NOT NULL
);
