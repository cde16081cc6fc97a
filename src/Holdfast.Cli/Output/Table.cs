using System.Text;

namespace Holdfast.Cli.Output;

/// <summary>On which side of its column a text stands.</summary>
internal enum Align
{
    /// <summary>Text.</summary>
    Left,

    /// <summary>Numbers and sizes.</summary>
    Right,
}

/// <summary>Rows in aligned columns. Holds all rows: for listings of thousands, not of millions.</summary>
internal sealed class Table(params (string Title, Align Align)[] columns)
{
    private const string Gap = "  ";
    private readonly List<string[]> rows = [];

    /// <summary>How many rows there are.</summary>
    public int Count => rows.Count;

    /// <summary>Adds a row of as many cells as there are columns.</summary>
    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, columns.Length);
        rows.Add(cells);
    }

    /// <summary>Writes the titles and the rows; no blanks at the end of a line.</summary>
    public void WriteTo(CommandOutput output)
    {
        string[] titles = [.. columns.Select(column => column.Title)];
        int[] widths = [.. titles.Select(TerminalText.WidthOf)];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length; i++) widths[i] = Math.Max(widths[i], TerminalText.WidthOf(output.Shown(row[i])));
        }

        output.Heading(LineOf(titles, widths));
        foreach (string[] row in rows) output.Line(LineOf([.. row.Select(output.Shown)], widths));
    }

    private string LineOf(string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (int i = 0; i < cells.Length; i++)
        {
            if (i > 0) line.Append(Gap);
            int blanks = widths[i] - TerminalText.WidthOf(cells[i]);
            if (columns[i].Align == Align.Right) line.Append(' ', blanks).Append(cells[i]);
            else line.Append(cells[i]).Append(' ', blanks);
        }

        return line.ToString().TrimEnd(' ');
    }
}
