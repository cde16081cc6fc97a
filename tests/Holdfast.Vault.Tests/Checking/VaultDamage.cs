using System.Globalization;

namespace Holdfast.Vault.Tests.Checking;

/// <summary>Changes the objects of a vault that lies in a directory, as a failing disk or a careless hand would.</summary>
internal static class VaultDamage
{
    /// <summary>Names of all objects under a prefix, in order.</summary>
    public static string[] Objects(this VaultFixture fixture, string prefix)
    {
        string directory = Path.Combine(fixture.VaultPath, prefix);
        if (!Directory.Exists(directory)) return [];
        string[] names = [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(fixture.VaultPath, path))];
        Array.Sort(names, string.CompareOrdinal);
        return names;
    }

    public static long LengthOf(this VaultFixture fixture, string name) => new FileInfo(fixture.ObjectPath(name)).Length;

    public static void Delete(this VaultFixture fixture, string name) => File.Delete(fixture.ObjectPath(name));

    public static void DeleteAll(this VaultFixture fixture, string prefix)
    {
        foreach (string name in fixture.Objects(prefix)) fixture.Delete(name);
    }

    /// <summary>Flips one bit; a negative offset counts from the end.</summary>
    public static void Flip(this VaultFixture fixture, string name, long offset)
    {
        using FileStream file = fixture.OpenWrite(name);
        file.Position = offset < 0 ? file.Length + offset : offset;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 0x10));
    }

    public static void Truncate(this VaultFixture fixture, string name, long removedBytes)
    {
        using FileStream file = fixture.OpenWrite(name);
        file.SetLength(file.Length - removedBytes);
    }

    /// <summary>A source of some directories with files that do not compress to nothing; two files are equal.</summary>
    public static void WriteSource(this VaultFixture fixture, int seed = 1)
    {
        var random = new Random(seed);
        for (int d = 0; d < 3; d++)
        {
            string directory = Path.Combine(fixture.Source, string.Create(CultureInfo.InvariantCulture, $"d{d}"));
            Directory.CreateDirectory(directory);
            for (int f = 0; f < 4; f++)
            {
                byte[] content = new byte[f * 70_000];
                random.NextBytes(content);
                File.WriteAllBytes(Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"f{f}")), content);
            }
        }

        File.Copy(Path.Combine(fixture.Source, "d0/f3"), Path.Combine(fixture.Source, "d2/same"));
    }

    private static FileStream OpenWrite(this VaultFixture fixture, string name)
    {
        string path = fixture.ObjectPath(name);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
    }

    private static string ObjectPath(this VaultFixture fixture, string name) => Path.Combine(fixture.VaultPath, name);
}
