DROP VIEW compensation;
