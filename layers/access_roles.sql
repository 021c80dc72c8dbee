-- The roles of the field and what they may do at first; a city changes them as it likes (docs/security.md).

INSERT INTO access.roles (id, zh, en, kept_apart, position) VALUES
    ('administrator', '管理员', 'Administrator', true, 1),
    ('security-administrator', '安全管理员', 'Security administrator', true, 2),
    ('audit-administrator', '审计管理员', 'Audit administrator', true, 3),
    ('planner', '规划师', 'Planner', false, 10),
    ('planning-clerk', '规划受理员', 'Planning clerk', false, 11),
    ('planning-reviewer', '规划审核人', 'Planning reviewer', false, 12),
    ('planning-approver', '规划审批人', 'Planning approver', false, 13),
    ('grid-worker', '网格员', 'Grid worker', false, 20),
    ('intake-clerk', '受理员', 'Intake clerk', false, 21),
    ('shift-leader', '值班长', 'Shift leader', false, 22),
    ('case-dispatcher', '派遣员', 'Case dispatcher', false, 23),
    ('case-handler', '处置人员', 'Case handler', false, 24),
    ('case-verifier', '核查员', 'Case verifier', false, 25),
    ('fleet-dispatcher', '调度员', 'Fleet dispatcher', false, 30),
    ('leader', '领导', 'Leader', false, 40),
    ('public', '公众', 'The public', false, 90);

WITH granted (role, kind, resources, actions, visibility, within) AS (VALUES
    ('public', 'collection', '*', 'read', 'public', 'everywhere'),
    ('public', 'process', '*', 'execute', 'public', 'everywhere'),

    ('administrator', 'office', 'accounts departments', 'manage', 'core', 'everywhere'),
    ('administrator', 'collection', '*', 'read create update delete manage', 'internal', 'everywhere'),
    ('administrator', 'process', 'change-layer remove-layer import-cases number-components import-grid-rules build-unit-grid split-grid-cell merge-grid-cells describe-layer add-proxy remove-proxy import-layer undo-import name-version forget-version import-image remove-image import-point-cloud seed-tiles', 'execute', 'core', 'everywhere'),
    ('security-administrator', 'office', 'roles keys sessions', 'manage', 'core', 'everywhere'),
    ('audit-administrator', 'office', 'audit', 'read', 'core', 'everywhere'),

    ('planner', 'collection', '*', 'read', 'sensitive', 'everywhere'),
    ('planner', 'collection', '*', 'create update delete manage', 'internal', 'everywhere'),
    ('planner', 'collection', 'pipelines pipe-nodes', 'create update delete manage', 'sensitive', 'everywhere'),
    ('planner', 'process', 'change-layer remove-layer number-components import-grid-rules build-unit-grid split-grid-cell merge-grid-cells describe-layer add-proxy remove-proxy import-layer undo-import name-version forget-version import-image remove-image import-point-cloud import-pipes', 'execute', 'core', 'everywhere'),

    ('planner', 'process', 'check-redline apply-redline advance-redline change-redline approve-plan import-massing', 'execute', 'core', 'everywhere'),
    ('planner', 'process', 'publish-notice add-drawing remove-drawing moderate-comments close-notice arrange-meeting record-opinion close-meeting', 'execute', 'core', 'everywhere'),
    ('planning-clerk', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('planning-clerk', 'collection', 'redlines', 'read create update', 'internal', 'everywhere'),
    ('planning-clerk', 'collection', 'notice-comments', 'read create update', 'sensitive', 'everywhere'),
    ('planning-clerk', 'collection', 'published-comments', 'read create update delete', 'internal', 'everywhere'),
    ('planning-clerk', 'process', 'check-redline apply-redline advance-redline moderate-comments arrange-meeting record-opinion', 'execute', 'core', 'everywhere'),
    ('planning-reviewer', 'collection', '*', 'read', 'sensitive', 'everywhere'),
    ('planning-reviewer', 'collection', 'redlines', 'read create update', 'internal', 'everywhere'),
    ('planning-reviewer', 'process', 'check-redline advance-redline record-opinion', 'execute', 'core', 'everywhere'),
    ('planning-approver', 'collection', '*', 'read', 'sensitive', 'everywhere'),
    ('planning-approver', 'collection', 'redlines control-plan control-lines open-control-lines control-zones', 'read create update', 'internal', 'everywhere'),
    ('planning-approver', 'process', 'check-redline advance-redline allocate-redline change-redline approve-plan record-opinion close-meeting', 'execute', 'core', 'everywhere'),

    ('grid-worker', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('grid-worker', 'collection', 'cases', 'read create update', 'internal', 'area'),
    ('grid-worker', 'collection', 'visits service-requests', 'read create update', 'sensitive', 'area'),
    ('grid-worker', 'collection', 'components', 'update', 'internal', 'area'),
    ('grid-worker', 'process', 'report-case advance-case add-photos inspect-component', 'execute', 'internal', 'area'),
    ('intake-clerk', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('intake-clerk', 'collection', 'cases service-requests illegal-buildings', 'create update', 'internal', 'everywhere'),
    ('intake-clerk', 'collection', 'temporary-buildings', 'update', 'internal', 'everywhere'),
    ('intake-clerk', 'process', 'import-cases report-suspects report-overdue-buildings report-by-text report-case advance-case add-photos', 'execute', 'internal', 'everywhere'),
    ('shift-leader', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('shift-leader', 'collection', 'cases illegal-buildings', 'create update', 'internal', 'everywhere'),
    ('shift-leader', 'collection', 'patrol-plans temporary-buildings emergency-resources shelters', 'create update delete', 'internal', 'everywhere'),
    ('shift-leader', 'process', 'report-case advance-case add-photos', 'execute', 'internal', 'everywhere'),
    ('case-dispatcher', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('case-dispatcher', 'collection', 'cases', 'update', 'internal', 'everywhere'),
    ('case-dispatcher', 'process', 'advance-case add-photos', 'execute', 'internal', 'everywhere'),
    ('case-handler', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('case-handler', 'collection', 'cases service-requests illegal-buildings', 'read update', 'internal', 'department'),
    ('case-handler', 'process', 'advance-case add-photos', 'execute', 'internal', 'department'),
    ('case-verifier', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('case-verifier', 'collection', 'cases', 'read update', 'internal', 'area'),
    ('case-verifier', 'process', 'advance-case add-photos', 'execute', 'internal', 'area'),

    ('fleet-dispatcher', 'collection', '*', 'read', 'internal', 'everywhere'),
    ('fleet-dispatcher', 'collection', 'devices geofences alarms unit-tasks', 'read create update delete', 'internal', 'department'),
    ('fleet-dispatcher', 'collection', 'positions trajectories', 'read', 'internal', 'department'),
    ('fleet-dispatcher', 'collection', 'cases', 'read create', 'internal', 'everywhere'),
    ('fleet-dispatcher', 'process', 'alarm-to-case report-case send-text locate-device command-device dispatch-unit advance-task import-track', 'execute', 'internal', 'department'),
    ('leader', 'collection', '*', 'read', 'sensitive', 'everywhere'),
    ('leader', 'collection', 'cases', 'update', 'internal', 'everywhere'),
    ('leader', 'process', 'advance-case add-photos', 'execute', 'internal', 'everywhere')
)
INSERT INTO access.permissions (role, kind, resource, action, visibility, within)
SELECT role, kind, resource, action, visibility, within
FROM granted, unnest(string_to_array(resources, ' ')) resource, unnest(string_to_array(actions, ' ')) action;
