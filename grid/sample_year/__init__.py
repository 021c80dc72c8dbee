"""示范年 a year of plausible cases of the sample city: invented, led through the real life cycle."""
