-- Kinds of pipelines and what must lie between them: data that a city replaces by its own (docs/pipelines.md).

CREATE TABLE citymap.pipe_kinds (
    code text PRIMARY KEY,
    major text NOT NULL,
    zh text NOT NULL, en text NOT NULL,
    colour text NOT NULL CHECK (colour ~ '^#[0-9a-f]{6}$'),
    -- Whether the inverts drive the flow, a pressure does, or there is none.
    flow text NOT NULL CHECK (flow IN ('gravity', 'pressure', 'none')),
    -- To where the depth of a pipe is measured: the bottom of its inside, or the top of its outside.
    depth_to text NOT NULL CHECK (depth_to IN ('invert', 'top')),
    -- Least cover [m]; NULL for none.
    cover double precision CHECK (cover >= 0)
);

-- Least distances between outsides [m], side by side and where one crosses the other; for kinds or major kinds, either
-- way round. NULL: none is required.
CREATE TABLE citymap.pipe_clearances (
    kind text NOT NULL,
    other text NOT NULL,
    horizontal double precision CHECK (horizontal >= 0),
    vertical double precision CHECK (vertical >= 0),
    PRIMARY KEY (kind, other)
);
GRANT SELECT ON citymap.pipe_kinds, citymap.pipe_clearances TO citymap_app;
