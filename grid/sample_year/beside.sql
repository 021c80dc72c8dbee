-- What the sample year has beside cases. `n` spreads kinds and times, so that nothing is random. A statement for each layer.

-- layer visits
INSERT INTO city.visits (geom, subject, kind, household, address, worker, grid, area_code, visited_at, content,
    result, danger_level, rectify_due, rectified_at)
SELECT a.geom, CASE n % 3 WHEN 0 THEN '入户走访' WHEN 1 THEN '消防隐患排查' ELSE '出租屋走访' END,
       CASE n % 3 WHEN 1 THEN 'danger-check' ELSE 'visit' END, a.address || '-' || n % 12, a.address, g.worker,
       g.code, a.admin_code, t.at, '示范记录',
       CASE WHEN n % 17 = 1 THEN 'danger' WHEN n % 11 = 0 THEN 'absent' ELSE 'normal' END,
       CASE WHEN n % 17 = 1 THEN 1 + n % 3 END, CASE WHEN n % 17 = 1 THEN t.at + interval '15 days' END,
       CASE WHEN n % 17 = 1 AND n % 2 = 0 THEN t.at + interval '6 days' END
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM city.addresses) a
JOIN city.grid_cells g ON g.parent = a.admin_code AND g.kind = 'grid',
     LATERAL (SELECT date_trunc('day', CAST(:until AS timestamptz)) - (n / 10 * 37 % 180) * interval '1 day' + (1 + n % 9) * interval '1 hour' AS at) t
WHERE n % 10 = 1;

-- layer service-requests
INSERT INTO city.service_requests (geom, subject, kind, content, address, grid, area_code, worker, state, due,
    result, opened_at, accepted_at, handled_at, closed_at, satisfaction)
SELECT a.geom, (ARRAY['代办老年证', '独居老人送餐', '楼道灯不亮', '邻里噪声纠纷', '医保政策咨询'])[1 + k],
       (ARRAY['paperwork', 'care', 'repair', 'dispute', 'policy'])[1 + k], '示范诉求', a.address, g.code,
       a.admin_code, g.worker, s.state, t.at + interval '5 days',
       CASE WHEN s.state IN ('handled', 'closed') THEN '已办理' END, t.at,
       CASE WHEN s.state <> 'open' THEN t.at + interval '3 hours' END,
       CASE WHEN s.state IN ('handled', 'closed') THEN t.at + (4 + n % 120) * interval '1 hour' END,
       CASE s.state WHEN 'closed' THEN t.at + (30 + n % 120) * interval '1 hour' END,
       CASE s.state WHEN 'closed' THEN 5 - (n / 7 % 10 = 0)::int * 3 - (n / 3 % 4 = 0)::int END
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n, (row_number() OVER (ORDER BY id))::int % 5 AS k
      FROM city.addresses) a
JOIN city.grid_cells g ON g.parent = a.admin_code AND g.kind = 'grid',
     LATERAL (SELECT CAST(:until AS timestamptz) - (n / 25 * 7 % 200) * interval '1 day' - n % 500 * interval '1 minute' AS at) t,
     LATERAL (SELECT CASE WHEN t.at > CAST(:until AS timestamptz) - interval '2 days' THEN 'open'
                          WHEN t.at > CAST(:until AS timestamptz) - interval '5 days' THEN 'handling'
                          WHEN t.at > CAST(:until AS timestamptz) - interval '8 days' THEN 'handled' ELSE 'closed' END AS state) s
WHERE n % 25 = 2;

-- layer patrol-plans
INSERT INTO city.patrol_plans (geom, code, name, worker, grids, area_code, times, every, least_share, width, begins,
    active)
SELECT ST_Multi(ST_Boundary(geom)), 'XC-' || parent, name || '日常巡查', worker, ARRAY[code], parent, 1 + row_number() OVER (ORDER BY code) % 3,
       'week', 0.5, 60, CAST(CAST(:until AS timestamptz) - interval '1 year' AS date), true
FROM city.grid_cells WHERE kind = 'grid';

-- layer shelters
INSERT INTO city.shelters (geom, code, name, kind, capacity, area, address, facilities, area_code, open)
SELECT p.geom, 'BN' || lpad(n::text, 4, '0'), p.name || '应急避难场所',
       CASE WHEN p.kind IN ('公园') THEN 'outdoor' ELSE 'indoor' END, 200 + n * 131 % 1800,
       (200 + n * 131 % 1800) * 2, p.address, '饮水、照明、厕所', (grid.locate(p.geom)).area_code, false
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM city.pois
      WHERE kind IN ('公园', '中小学', '体育场馆', '社区党群服务中心')) p WHERE n % 4 = 0;

-- layer emergency-resources
INSERT INTO city.emergency_resources (geom, code, name, kind, quantity, unit, area_code, ready, checked_on)
SELECT p.geom, 'YJ' || lpad(n::text, 4, '0'), p.name || k.zh, k.kind, 1 + n % 9, k.unit,
       (grid.locate(p.geom)).area_code, n % 13 <> 0, CAST(CAST(:until AS timestamptz) AS date) - (n % 200)::int
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM city.pois
      WHERE kind IN ('医院', '政府机关', '物流仓储', '泵站')) p
JOIN (VALUES ('医院', 'hospital', '急救', '辆'), ('政府机关', 'rescue-team', '救援队', '人'),
             ('物流仓储', 'warehouse', '物资库', '批'), ('泵站', 'pump', '泵车', '台')) k (of, kind, zh, unit)
  ON k.of = p.kind;

-- layer temporary-buildings
INSERT INTO city.temporary_buildings (geom, permit, name, use, holder, expires_on, approved_on, removed_on)
SELECT b.geom, '临建许〔' || extract(year FROM d.approved) || '〕' || n || '号', '示范工棚' || n, '施工临时用房', '示范建设公司',
       d.approved + 730, d.approved, CASE WHEN n % 3 = 0 AND d.approved + 700 < d.today THEN d.approved + 700 END
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM city.buildings
      WHERE use = 'industrial' AND ST_Area(geom::geography) < 800) b,
     LATERAL (SELECT CAST(CAST(:until AS timestamptz) AS date) AS today,
                     CAST(CAST(:until AS timestamptz) AS date) - (n * 41 % 1200)::int AS approved) d
WHERE n <= 60;

-- layer illegal-buildings
INSERT INTO city.illegal_buildings (geom, code, name, stage, case_code, source, area, permitted_share, found_at,
    confirmed_at, penalised_at, ordered_at, ended_at, document, penalty, demolish_by)
SELECT DISTINCT ON (b.id) ST_Multi(ST_Translate(b.geom, 0.00002, 0.00002)), 'WJ' || c.code, '疑似违建 ' || coalesce(c.place, ''), s.stage,
       c.code, '巡查', round(ST_Area(b.geom::geography)::numeric, 1), 0, c.reported_at, s.at[1], s.at[2], s.at[3],
       s.at[4], CASE WHEN s.at[2] IS NOT NULL THEN '示罚字' || c.id || '号' END,
       CASE WHEN s.at[2] IS NOT NULL THEN 2000 + c.id % 30 * 500 END,
       CASE WHEN s.at[3] IS NOT NULL THEN CAST(s.at[3] AS date) + 20 END
FROM city.cases c
JOIN LATERAL (SELECT b.id, b.geom FROM city.buildings b WHERE b.geom && grid.around(c.geom, 60)
              ORDER BY b.geom <-> c.geom LIMIT 1) b ON true,
     LATERAL (SELECT CASE c.id % 4 WHEN 0 THEN 'demolished' WHEN 1 THEN 'penalised' WHEN 2 THEN 'demolition-ordered'
                          ELSE 'confirmed' END AS stage,
                     ARRAY[c.filed_at, CASE WHEN c.id % 4 < 3 THEN c.dispatched_at + interval '7 days' END,
                           CASE WHEN c.id % 4 IN (0, 2) THEN c.dispatched_at + interval '9 days' END,
                           CASE WHEN c.id % 4 = 0 THEN c.dispatched_at + interval '25 days' END] AS at) s
WHERE c.class = '0101' AND c.state = 'closed' AND c.reported_at < CAST(:until AS timestamptz) - interval '30 days'
ORDER BY b.id, c.id LIMIT 120;
