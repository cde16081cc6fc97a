using Holdfast.Cli.Terminals;

namespace Holdfast.Cli.Commands;

/// <summary>Opens an export to be applied.</summary>
internal static class ApplyInput
{
    /// <summary>Opens it so that it can be read twice: a pipe goes to a temporary file first, which goes with the stream.</summary>
    public static async Task<FileStream> OpenAsync(string name, CancellationToken cancellationToken)
    {
        if (InputFile.TryOpenSeekable(name, "FILE") is { } file) return file;
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.DeleteOnClose,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        var copy = new FileStream(Path.Combine(Path.GetTempPath(), "holdfast-" + Path.GetRandomFileName()), options);
        try
        {
            Stream pipe = InputFile.Open(name, "FILE");
            await using (pipe.ConfigureAwait(false)) await pipe.CopyToAsync(copy, cancellationToken).ConfigureAwait(false);
            copy.Position = 0;
            return copy;
        }
        catch
        {
            // Whatever it was: the copy goes with its stream.
            await copy.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
