using System.Globalization;

namespace Holdfast.Vault.Tests.Formats;

/// <summary>What docs/formats/vault.md says, for tests that compare it with the code.</summary>
internal static class VaultDocument
{
    private static readonly string[] Lines = File.ReadAllLines(Find());

    /// <summary>What follows "name:" on a line of its own.</summary>
    public static string ValueOf(string name)
    {
        string[] found = [.. Lines.Select(line => line.Trim()).Where(line => line.StartsWith(name + ":", StringComparison.Ordinal))];
        return Assert.Single(found)[(name.Length + 1)..].Trim();
    }

    /// <summary>The bytes of the hex dump behind a line that begins so: pairs of digits, two spaces, what they are.</summary>
    public static byte[] DumpAfter(string beginning)
    {
        int at = Array.FindIndex(Lines, line => line.StartsWith(beginning, StringComparison.Ordinal));
        Assert.True(at >= 0, $"the document has no line that begins \"{beginning}\"");
        at = Array.FindIndex(Lines, at, line => line.StartsWith("```", StringComparison.Ordinal));
        var bytes = new List<byte>();
        while (!Lines[++at].StartsWith("```", StringComparison.Ordinal))
        {
            string hex = Lines[at].Split("  ", 2)[0];
            foreach (string pair in hex.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                bytes.Add(byte.Parse(pair, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            }
        }

        return [.. bytes];
    }

    private static string Find()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null)
        {
            string path = Path.Combine(directory, "docs", "formats", "vault.md");
            if (File.Exists(path)) return path;
            directory = Path.GetDirectoryName(directory);
        }

        throw new FileNotFoundException("docs/formats/vault.md");
    }
}
