using System.Security.Cryptography;
using System.Text;
using Holdfast.Databases.RocksDb;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.RocksDb;

/// <summary>What tests of RocksDB share: a directory, copies that are checked and compared.</summary>
public abstract class RocksTest : IDisposable
{
    private readonly TemporaryDirectory root = new();
    private int copies;

    internal RocksDbEngine Engine { get; } = new();

    protected string Root => root.Path;

    protected string DatabasePath => $"{root.Path}/db";

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public virtual void Dispose()
    {
        root.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected string NewCopyPath() => $"{root.Path}/copy{++copies}";

    /// <summary>Opens a copy by RocksDB, as a program would that takes it over.</summary>
    internal static RocksDatabase OpenCopy(string path) => RocksDatabase.Open(path, Workload.Options with { CreateIfMissing = false });

    /// <summary>Fails unless all is well with a copy, read whole.</summary>
    internal void AssertSound(string path, string explanation)
    {
        DatabaseCheck check = Engine.Check(path, null, Cancellation);
        Assert.True(check.Problems.Count == 0, $"{explanation}: {string.Join("; ", check.Problems)}");
        Assert.Null(check.Limits);
    }

    /// <summary>Names, contents and times of all files below some directories.</summary>
    protected static string Describe(params string[] directories)
    {
        var text = new StringBuilder();
        foreach (string directory in directories)
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                text.Append(path).Append(' ').Append(File.GetLastWriteTimeUtc(path).Ticks).Append(' ');
                text.AppendLine(Directory.Exists(path) ? "" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
            }
        }

        return text.ToString();
    }

    protected static void Flip(string path, long offset, byte mask = 0x10)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[offset] ^= mask;
        File.WriteAllBytes(path, bytes);
    }

    protected static void CopyDirectory(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string path in Directory.EnumerateFiles(from)) File.Copy(path, $"{to}/{Path.GetFileName(path)}");
    }
}
