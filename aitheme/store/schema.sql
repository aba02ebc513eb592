-- The store: one DuckDB file per snapshot. Prices in the trading currency, volume in shares, returns as ratios.
-- close x adj_factor is the total-return level. Bulk tables carry no index: their keys are checked before a merge.
CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE sessions (exchange VARCHAR NOT NULL, session DATE NOT NULL);
CREATE TABLE securities (
    symbol VARCHAR PRIMARY KEY, name VARCHAR, currency VARCHAR, board VARCHAR, industry VARCHAR, listed DATE,
    delisted DATE, total_shares DOUBLE, float_shares DOUBLE, shares_as_of DATE, st BOOLEAN
);
CREATE TABLE bars (
    symbol VARCHAR NOT NULL, session DATE NOT NULL, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE NOT NULL,
    volume DOUBLE, amount DOUBLE, turnover DOUBLE, adj_factor DOUBLE NOT NULL, quality TINYINT NOT NULL
);
CREATE TABLE indices (symbol VARCHAR PRIMARY KEY, name VARCHAR, provider VARCHAR, level TINYINT);
CREATE TABLE index_bars (
    symbol VARCHAR NOT NULL, session DATE NOT NULL, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE NOT NULL,
    amount DOUBLE, pe_trailing DOUBLE
);
CREATE TABLE factors (factor VARCHAR NOT NULL, session DATE NOT NULL, value DOUBLE NOT NULL);
CREATE TABLE consensus (
    symbol VARCHAR NOT NULL, fiscal_year SMALLINT NOT NULL, kind VARCHAR NOT NULL, eps DOUBLE NOT NULL, currency VARCHAR,
    analysts SMALLINT, source VARCHAR NOT NULL, published DATE NOT NULL
);
CREATE TABLE capex (symbol VARCHAR NOT NULL, quarter_end DATE NOT NULL, capex DOUBLE NOT NULL, currency VARCHAR NOT NULL);
-- A run is running until it ends; one that was killed or failed is interrupted, and a later run resumes its work.
CREATE TABLE refresh_run (
    run_id VARCHAR NOT NULL, source VARCHAR NOT NULL, started TIMESTAMP NOT NULL, finished TIMESTAMP,
    universe VARCHAR NOT NULL, datasets VARCHAR, since DATE, until DATE, fingerprint VARCHAR, status VARCHAR NOT NULL,
    base VARCHAR, resumes VARCHAR, error VARCHAR, details JSON
);
CREATE TABLE dataset_run (
    run_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, symbol VARCHAR, origin VARCHAR, fallback BOOLEAN NOT NULL,
    received BIGINT NOT NULL, inserted BIGINT NOT NULL, changed BIGINT NOT NULL, quarantined BIGINT NOT NULL, notes JSON
);
CREATE TABLE quarantine (
    run_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, symbol VARCHAR, session DATE, reason VARCHAR NOT NULL, raw JSON
);
-- What a run changed in rows that were stored before: one line per dataset, symbol and kind (restated,
-- corporate_action, withdrawn), and under it every stored row as it was.
CREATE TABLE restatement (
    run_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, symbol VARCHAR, kind VARCHAR NOT NULL, first_date DATE,
    last_date DATE, changed_rows BIGINT NOT NULL, fields VARCHAR NOT NULL, largest_change DOUBLE, old_sample JSON,
    new_sample JSON, origin VARCHAR
);
CREATE TABLE superseded (
    run_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, symbol VARCHAR, date DATE, replaced TIMESTAMP NOT NULL,
    old JSON NOT NULL
);
-- What only live vendors deliver; every row keeps the date it was first known.
CREATE TABLE adj_factors (
    symbol VARCHAR NOT NULL, ex_date DATE NOT NULL, factor DOUBLE, source VARCHAR
);
CREATE TABLE broker_forecasts (
    symbol VARCHAR NOT NULL, broker VARCHAR NOT NULL, published DATE NOT NULL, fiscal_year SMALLINT NOT NULL,
    report VARCHAR NOT NULL, eps DOUBLE, currency VARCHAR, rating VARCHAR, seen DATE
);
CREATE TABLE consensus_ranges (
    symbol VARCHAR NOT NULL, fiscal_year SMALLINT NOT NULL, source VARCHAR NOT NULL, published DATE NOT NULL,
    eps_low DOUBLE, eps_high DOUBLE, industry_mean DOUBLE
);
CREATE TABLE reported_eps (
    symbol VARCHAR NOT NULL, period_end DATE NOT NULL, published DATE NOT NULL, announced DATE, eps DOUBLE,
    net_profit DOUBLE, revenue DOUBLE, restated BOOLEAN, seen DATE
);
CREATE TABLE names (
    symbol VARCHAR NOT NULL, seen DATE NOT NULL, name VARCHAR, st BOOLEAN
);
CREATE TABLE suspensions (
    symbol VARCHAR NOT NULL, start DATE NOT NULL, "end" DATE, reason VARCHAR, seen DATE
);
CREATE TABLE dividends (
    symbol VARCHAR NOT NULL, ex_date DATE NOT NULL, report VARCHAR NOT NULL, announced DATE, record_date DATE,
    pay_date DATE, cash_per_share DOUBLE, bonus_per_share DOUBLE, currency VARCHAR, source VARCHAR
);
CREATE TABLE share_counts (
    symbol VARCHAR NOT NULL, effective DATE NOT NULL, total_shares DOUBLE, float_shares DOUBLE, source VARCHAR,
    seen DATE
);
CREATE TABLE sector_members (
    sector VARCHAR NOT NULL, symbol VARCHAR NOT NULL, seen DATE NOT NULL, since DATE, weight DOUBLE,
    provider VARCHAR
);
CREATE TABLE box_office (
    month DATE NOT NULL, seen DATE NOT NULL, gross DOUBLE, admissions DOUBLE, films INTEGER, complete BOOLEAN
);
-- How far each live dataset is complete, per symbol ('' for market-wide tables), and every vendor asked.
CREATE TABLE watermark (dataset VARCHAR NOT NULL, symbol VARCHAR NOT NULL, through DATE NOT NULL, source VARCHAR NOT NULL);
CREATE TABLE attempt (
    run_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, symbol VARCHAR NOT NULL, endpoint VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL, detail VARCHAR NOT NULL, seconds DOUBLE NOT NULL, fallback BOOLEAN NOT NULL
);
